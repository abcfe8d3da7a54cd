"""What `synapse jobs logs` costs for the last lines of a large log, beside the whole of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from relay import relay_to
from running_agent import RunningAgent

__all__ = ["WHOLE", "WINDOWS", "measure_command"]

# Bytes of the end of an output that are compared with the log.
_END = 4_096


# Arguments, and the number of last lines that they print; None for all.
WHOLE: tuple[tuple[str, ...], int | None] = ((), None)
WINDOWS = ((("-n", "10"), 10), (("-f", "-n", "2"), 2))


@dataclass
class _Run:
    seconds: float
    # Seconds of a processor, which depend less on what else the machine does.
    cpu: float
    # The most memory that the command had, in bytes.
    memory: int
    # Bytes that the agent sent.
    received: int
    # The last bytes of its output.
    end: bytes


def measure_command(
    where: str,
    agent: RunningAgent,
    job_id: str,
    log: Path,
    runs: Sequence[tuple[tuple[str, ...], int | None]] = (WHOLE, *WINDOWS),
) -> Iterator[str]:
    """Run the command for a job's log, and say what each run cost."""
    size = log.stat().st_size
    with log.open("rb") as file:
        file.seek(max(0, size - _END))
        end = file.read()
    for options, lines in runs:
        run = _run(agent, *options, job_id)
        last = end if lines is None else b"".join(end.splitlines(keepends=True)[-lines:])
        assert run.end == last, options
        yield (
            f"synapse jobs logs {' '.join(options)} of {size / 1e9:.1f} GB, {where}: {run.seconds:.1f} s, "
            f"{run.cpu:.2f} s of a processor, {run.received:,} bytes transferred, {run.memory >> 20:,} MiB"
        )


def _run(agent: RunningAgent, *arguments: str) -> _Run:
    port = int(agent.url.rpartition(":")[2])
    with relay_to(port) as relay, tempfile.TemporaryFile() as output:
        settings = {
            "SYNAPSE_AGENT_URL": f"http://127.0.0.1:{relay.port}",
            "SYNAPSE_AGENT_TOKEN": agent.token,
        }
        command = [sys.executable, "-m", "synapse_sdk.cli", "jobs", "logs", "--timeout", "300", *arguments]
        started = time.monotonic()
        process = subprocess.Popen(command, env=os.environ | settings, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        took = time.monotonic() - started
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _END))
        cpu = usage.ru_utime + usage.ru_stime
        return _Run(took, cpu, usage.ru_maxrss << 10, relay.received, output.read())
