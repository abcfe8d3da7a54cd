"""The README's first command, as a newcomer runs it, and as one who presses Ctrl-C does."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from checkout import ROOT, environment

SHOWN = [
    r"Is the agent well\?",
    r"job \S+ is (PENDING|RUNNING)",
    r" s \| counting the letters of 5 words",
    r" s \| done",
    r"\d+ lines over websocket; the job has SUCCEEDED",
    r"\d+ lines, \d+ bytes over http",
    r"  job   \S+: SUCCEEDED",
    r"  node  \S+: ALIVE, \d+ CPUs",
    r"  task  count: FINISHED",
    r"NotFoundError, status 404: ",
    r"StreamLimitExceededError, status 429: ",
    r"last line: 'done'",
]

pytestmark = pytest.mark.ray


class Agent(Protocol):
    url: str
    token: str
    pid: int


def test_quickstart_shows_what_it_promises(agent: Agent) -> None:
    variables = environment(SYNAPSE_AGENT_URL=agent.url, SYNAPSE_AGENT_TOKEN=agent.token)
    command = [sys.executable, "examples/quickstart.py"]
    done = subprocess.run(
        command, cwd=ROOT, env=variables, check=False, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for pattern in SHOWN:
        assert re.search(pattern, done.stdout), f"{pattern!r} is not in:\n{done.stdout}"
    assert done.stderr == ""
    assert agent.token not in done.stdout

    # Live: between the first line and the last the plugin sleeps for 2.5 seconds, and so did we.
    times = [float(seconds) for seconds in re.findall(r"^ *([\d.]+) s \|", done.stdout, re.MULTILINE)]
    assert times == sorted(times)
    assert times[-1] - times[0] > 1.5


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for temporary files, of a path short enough for an agent to use it for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="demo-", dir="/tmp") as name:
        yield Path(name)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_stops_everything_when_it_is_interrupted(number: signal.Signals, folder: Path) -> None:
    printed: list[str] = []
    started: set[int] = set()
    with subprocess.Popen(
        [sys.executable, "scripts/demo.py"],
        cwd=ROOT,
        env=environment(TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                printed.append(line)
                if " s | " in line and not started:
                    assert list(folder.iterdir())
                    started = descendants(demo.pid)
                    demo.send_signal(number)
            exit_code = demo.wait(60)
        finally:
            demo.terminate()  # not kill, which would leave its agent running

    assert exit_code == 128 + number, "".join(printed)
    assert f"# Stopped by {number.name}." in printed[-1]
    assert len(started) > 5
    assert not {pid for pid in started if alive(pid)}
    assert not list(folder.iterdir())


def descendants(root: int) -> set[int]:
    """The processes that descend from one, itself left out."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended meanwhile
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    layer = {root}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found |= layer
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
