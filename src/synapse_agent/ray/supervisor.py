"""Run an embedded Ray, and end it whatever happens to the agent.

`embedded` starts it as a separate process: `python supervisor.py <temp dir> <command>…`. It runs until
its standard input closes. That is a pipe from the agent, so it also closes when the agent is killed with
SIGKILL. Then the supervisor ends every process of the cluster and removes the temp dir. If the
supervisor itself is killed, Ray gets a parent-death signal.

It uses the standard library only, so that it is small and starts at once.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# Seconds that Ray and its jobs get to end by themselves.
_GRACE = 5.0


def main(directory: str, command: list[str]) -> int:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux only
    if prctl is not None:  # pragma: no branch - always there on Linux, which coverage is measured on
        # Processes whose parents end become children of this process, so that all of them are found.
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_parent() -> None:  # pragma: no cover - between fork and exec, where coverage can't record
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, _ignore)
    try:
        ray = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # safe: there is no thread but this one
        )
        try:
            _wait(ray, wake_read)
        finally:
            _stop(ray)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return ray.returncode or 0


def _ignore(number: int, frame: object) -> None:
    """Do nothing: the signal arrives through the wake-up pipe."""


def _wait(ray: subprocess.Popen[bytes], wake: int) -> None:
    """Wait until Ray ends, the agent ends, or a signal asks to stop."""
    while ray.poll() is None:
        ready, _, _ = select.select([sys.stdin.fileno(), wake], [], [])
        if sys.stdin.fileno() in ready:
            return
        numbers = os.read(wake, 4096)
        if any(number != signal.SIGCHLD for number in numbers):
            return
        _reap(ray)


def _stop(ray: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _GRACE
    # Signal only this process, which ends the others in order, within 2 s. If all are signalled at
    # once, the raylet waits for its agents until the time is up.
    with suppress(ProcessLookupError):
        os.kill(ray.pid, signal.SIGTERM)
    while ray.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    while True:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(ray.pid, signal.SIGKILL)
        left = _children()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ray.poll()
        _reap(ray)
        if not left or time.monotonic() > deadline + _GRACE:
            return
        time.sleep(0.02)


def _children() -> list[int]:
    """Return the children of this process, adopted ones included."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []  # pragma: no cover - without /proc, so not on Linux


def _reap(ray: subprocess.Popen[bytes]) -> None:
    """Wait for adopted children that ended; leave Ray's own status to `poll`."""
    for pid in _children():
        if pid != ray.pid:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
