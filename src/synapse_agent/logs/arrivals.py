"""The times at which the bytes of a growing log were first seen."""

from __future__ import annotations

from bisect import bisect_left

__all__ = ["Arrivals"]

# Bytes that came between two looks have a time if these are at most so many seconds apart.
_CLOSE = 1.0

# The number of looks that are kept; older bytes lose their time.
_MOST = 20_000


class Arrivals:
    """Keeps the size that the log had at each look.

    Args:
        size: The log's size at the first look; these bytes have no time.
        now: The time of that look.
    """

    def __init__(self, size: int, now: float) -> None:
        self._ends = [size]
        self._times: list[float | None] = [None]
        self._looked = now

    def look(self, size: int, now: float) -> None:
        """Record the size at `now`, in seconds since the epoch."""
        if size > self._ends[-1]:
            self._ends.append(size)
            self._times.append(round(now, 3) if 0 <= now - self._looked <= _CLOSE else None)
            if len(self._ends) > 2 * _MOST:
                del self._ends[:_MOST], self._times[:_MOST]
                self._times[0] = None
        self._looked = now

    def of(self, end: int) -> float | None:
        """Return when the byte before `end` was first seen; None if that is not known to a second."""
        index = bisect_left(self._ends, end)
        return self._times[index] if index < len(self._ends) else None
