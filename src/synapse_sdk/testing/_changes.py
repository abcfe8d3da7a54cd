"""The lock of the fake agent's state, and waiting for changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Changes"]


class Changes:
    """A context manager that holds the lock, and wakes all waiters at its end."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *exc: object) -> None:
        self._condition.notify_all()
        self._condition.release()

    def wait(self, holds: Callable[[], bool], timeout: float, words: str) -> None:
        """Wait until a condition is true.

        Raises:
            TimeoutError: It did not in time.
        """
        with self._condition:
            if not self._condition.wait_for(holds, timeout):
                raise TimeoutError(f"{words} after {timeout:g} s")
