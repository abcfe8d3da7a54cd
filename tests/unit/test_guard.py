"""The guard of an embedded Ray: what it holds ends with it, and it ends with the agent, however that goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checkout import python_path
from running_agent import left_of, start_time

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the guard needs Linux to find orphans")

# Writes the ids of itself and its children once they run: one that ends when asked, one that does not care,
# and one in a session of its own whose parent is gone, as Ray has them.
CLUSTER = """
import os, signal, subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"
stubborn += "; time.sleep(600)"
orphan = "import subprocess, sys; command = [sys.executable, '-c', 'import time; time.sleep(600)']"
orphan += "; print(subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL).pid)"
child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
child.stdout.readline()
lost = int(subprocess.run([sys.executable, "-c", orphan], stdout=subprocess.PIPE, check=True).stdout)
with open("ids.new", "w") as file:
    print(os.getpid(), child.pid, lost, file=file)
os.rename("ids.new", "ids")
"""
WAITS = CLUSTER + "time.sleep(600)\n"
IGNORES = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS
ENDS = CLUSTER + "sys.exit(3)\n"

Guard = subprocess.Popen[bytes]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], tuple[Guard, Path]]]:
    """Start a guard over such a cluster; the guard and the directory it minds."""
    guards: list[Guard] = []

    def start(source: str) -> tuple[Guard, Path]:
        directory = tmp_path / "cluster"
        directory.mkdir()
        # As a module, so that coverage knows it; the agent starts the file, as bare as can be.
        command = [
            sys.executable,
            "-m",
            "synapse_agent.ray.supervisor",
            str(directory),
            sys.executable,
            "-c",
            source,
        ]
        guard = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ | python_path(),
            start_new_session=True,
        )
        guards.append(guard)
        return guard, directory

    yield start
    for guard in guards:
        assert guard.stdin is not None
        guard.stdin.close()
        guard.wait(30)


def processes_of(guard: Guard, tmp_path: Path) -> set[tuple[int, str]]:
    """What runs below the guard, once it is all there."""
    deadline = time.monotonic() + 30
    while not (tmp_path / "ids").exists():
        assert guard.poll() is None, guard.returncode
        assert time.monotonic() < deadline, "no cluster after 30 s"
        time.sleep(0.01)
    ids = map(int, (tmp_path / "ids").read_text().split())
    return {(pid, started) for pid in ids if (started := start_time(pid))}


def by_closing_its_input(guard: Guard) -> None:
    assert guard.stdin is not None
    guard.stdin.close()


def by_a_signal(guard: Guard) -> None:
    guard.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [by_closing_its_input, by_a_signal])
def test_no_process_and_no_file_is_left(
    start: Callable[[str], tuple[Guard, Path]], end: Callable[[Guard], None], tmp_path: Path
) -> None:
    guard, directory = start(WAITS)
    (directory / "session").mkdir()
    (directory / "session" / "log").write_text("x")
    processes = processes_of(guard, tmp_path)
    assert len(processes) == 3
    end(guard)
    # The cluster was ended by SIGTERM.
    assert guard.wait(30) == 256 - signal.SIGTERM
    assert left_of(processes, 5) == set()
    assert not directory.exists()


def test_a_cluster_that_will_not_end_is_killed(
    start: Callable[[str], tuple[Guard, Path]], tmp_path: Path
) -> None:
    guard, directory = start(IGNORES)
    processes = processes_of(guard, tmp_path)
    by_closing_its_input(guard)
    assert guard.wait(30) == 256 - signal.SIGKILL
    assert left_of(processes, 5) == set()
    assert not directory.exists()


def test_a_cluster_that_ends_takes_the_guard_along(
    start: Callable[[str], tuple[Guard, Path]], tmp_path: Path
) -> None:
    guard, directory = start(ENDS)
    assert guard.wait(30) == 3
    ids = map(int, (tmp_path / "ids").read_text().split())
    assert left_of({(pid, started) for pid in ids if (started := start_time(pid))}, 5) == set()
    assert not directory.exists()
