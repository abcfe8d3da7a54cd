"""The lock around everything that the fake agent knows, and the waiting for it to change."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Changes"]


class Changes:
    """A context manager that holds the lock; whoever waits is woken when it is left."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *exc: object) -> None:
        self._condition.notify_all()
        self._condition.release()

    def wait(self, holds: Callable[[], bool], timeout: float, words: str) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: It did not in time.
        """
        with self._condition:
            if not self._condition.wait_for(holds, timeout):
                raise TimeoutError(f"{words} after {timeout:g} s")
