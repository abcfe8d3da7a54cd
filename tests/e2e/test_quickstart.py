"""The README's first command, as a newcomer runs it, and as one who presses Ctrl-C does."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import pytest

from checkout import ROOT, environment

TEMPORARY = ("ray", "syn")  # how the folders begin that an agent, its Ray or the demo may make
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


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_stops_everything_when_it_is_interrupted(number: signal.Signals) -> None:
    before = temporary()
    demo = subprocess.Popen(
        [sys.executable, "scripts/demo.py"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed = []
    descendants: set[int] = set()
    try:
        assert demo.stdout is not None
        for line in demo.stdout:
            printed.append(line)
            if " s | " in line and not descendants:
                descendants = tree_of(demo.pid)
                demo.send_signal(number)
        exit_code = demo.wait(60)
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()

    assert exit_code == 128 + number, "".join(printed)
    assert len(descendants) > 3
    assert not {pid for pid in descendants if alive(pid)}
    assert not temporary() - before


def temporary() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).iterdir() if path.name.startswith(TEMPORARY)}


def tree_of(root: int) -> set[int]:
    """The processes that descend from one, itself left out."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended meanwhile
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
