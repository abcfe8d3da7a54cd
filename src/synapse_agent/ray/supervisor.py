"""Holds an embedded Ray and takes it down whatever happens to the agent.

Started by `embedded` as a process of its own: `python supervisor.py <temp dir> <command>…`. It lives
as long as its standard input is open. That is a pipe from the agent, so an agent that was killed
with SIGKILL counts as well as one that stops. Then it ends every process of the cluster and removes
the temp dir. Should the guard itself be killed, Ray's parent-death signal is left.

Standard library only, so that it is small and starts at once.
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

# Seconds that Ray and its jobs have to end by themselves.
_GRACE = 5.0


def main(directory: str, command: list[str]) -> int:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux only
    if prctl is not None:  # pragma: no branch - always there on Linux, which coverage is measured on
        # Processes whose parents end become our children, so none is overlooked.
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_parent() -> None:  # pragma: no cover - between fork and exec, where nothing is recorded
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
    """The wake-up pipe tells."""


def _wait(ray: subprocess.Popen[bytes], wake: int) -> None:
    """Until Ray ends, the agent ends, or somebody asks us to."""
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
    # Only this one, which ends the others in its order: 2 s. All of them at once, the raylet waits
    # for its agents until the time is up.
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
    """Our children, the adopted ones included; their own children come to us when they end."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []  # pragma: no cover - without /proc, so not on Linux


def _reap(ray: subprocess.Popen[bytes]) -> None:
    """Take the adopted children that ended; Ray's own status is left for `poll`."""
    for pid in _children():
        if pid != ray.pid:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
