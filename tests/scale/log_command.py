"""What `synapse jobs logs` costs for the last lines of a large log, beside the whole of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from relay import relay_to
from running_agent import RunningAgent

__all__ = ["measure_command"]


@dataclass
class _Run:
    seconds: float
    # The most memory that the command had, in bytes.
    memory: int
    # Bytes that the agent sent.
    received: int
    # The last bytes of its output.
    end: bytes


def measure_command(where: str, agent: RunningAgent, job_id: str, log: Path) -> list[str]:
    """Run the command for the last lines and for the whole log, and say what each run cost."""
    size = log.stat().st_size
    with log.open("rb") as file:
        file.seek(max(0, size - (1 << 16)))
        end = file.read()
    whole = _run(agent, job_id)
    assert whole.end == end[-len(whole.end) :]
    said = [f"{where}, the whole log of {size / 1e9:.1f} GB: {_cost(whole)}"]
    for options, lines in ((("-n", "10"), 10), (("-f", "-n", "2"), 2)):
        run = _run(agent, *options, job_id)
        assert run.end == b"".join(end.splitlines(keepends=True)[-lines:])
        share = run.seconds / whole.seconds
        said.append(f"{where}, {' '.join(options)} of it: {_cost(run)}, {share:.1%} of the time")
    return said


def _cost(run: _Run) -> str:
    return f"{run.seconds:.2f} s, {run.received:,} bytes transferred, {run.memory >> 20:,} MiB of memory"


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
        output.seek(max(0, size - (1 << 12)))
        return _Run(took, usage.ru_maxrss << 10, relay.received, output.read())
