"""A bound to how long something may take that blocks its thread."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Deadline"]


class Deadline:
    """Calls a function after so many seconds, in a thread of its own, unless `cancel` comes before.

    A `threading.Timer` does that, but whoever starts it waits until its thread runs, and again until it has
    ended, which on a busy machine takes longer than to connect.

    Args:
        seconds: When to call it.
        function: What to call; it must not raise.
    """

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self.passed = False
        self._function = function
        self._cancelled = False
        self._deciding = threading.Lock()
        self._waiting = threading.Lock()
        self._waiting.acquire()
        # No thread can be started while the interpreter shuts down, or where their number is limited; the
        # timeout of each single read still applies.
        with suppress(RuntimeError):
            _thread.start_new_thread(self._wait, (min(seconds, threading.TIMEOUT_MAX),))

    def cancel(self) -> None:
        """See to it that the function isn't called any more; if it is being called, wait for its end."""
        with self._deciding:
            self._cancelled = True
        self._waiting.release()

    def _wait(self, seconds: float) -> None:
        self._waiting.acquire(timeout=seconds)
        with self._deciding:
            if not self._cancelled:
                self.passed = True
                self._function()
