"""Time bounds that hold on a busy machine: the time in which it ran something else is not counted."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

__all__ = ["Stopwatch"]


class Stopwatch:
    """Measures from now on; not counted is what threads of these processes waited for a processor.

    Time in which they slept, waited for each other or computed is counted. Only Linux has such an account;
    elsewhere all time is counted.
    """

    def __init__(self, *processes: int) -> None:
        self._processes = ["self", *map(str, processes)]
        self._waited = self._waits()
        self.started = time.monotonic()

    def seconds(self, until: float | None = None) -> float:
        """Seconds from the start until now, or until that time of `time.monotonic`."""
        elapsed = (time.monotonic() if until is None else until) - self.started
        waits = self._waits()
        return elapsed - sum(waits[task] - self._waited.get(task, 0) for task in waits) / 1e9

    def until_exit(self, process: int, within: float) -> None:
        """Wait for a child to end, within so many seconds; its status is left for `Popen`."""
        while os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            assert self.seconds() < within, f"the process still runs after {within:g} s"
            time.sleep(0.005)

    def _waits(self) -> dict[str, int]:
        """Nanoseconds that each thread that is there waited in the scheduler's queue."""
        waits: dict[str, int] = {}
        for process in self._processes:
            for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):  # the thread just ended
                    waits[str(path)] = int(path.read_text().split()[1])
        return waits
