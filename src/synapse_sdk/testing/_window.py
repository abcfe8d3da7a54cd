"""Which part of a log a request asks for. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._reply import ApiError

__all__ = ["Window", "read_number", "read_window"]


@dataclass(frozen=True)
class Window:
    """A part of a log: what begins at the later of `tail` lines from the end and `offset`."""

    offset: int = 0
    tail: int | None = None
    limit_bytes: int | None = None

    def of(self, data: bytes | bytearray) -> tuple[int, int]:
        """Return where the part begins and ends in a log.

        Raises:
            ApiError: 416, the log ends before it.
        """
        size = len(data)
        if self.offset > size:
            raise ApiError(416, f"the log has fewer than {self.offset} bytes")
        start = max(self.offset, 0 if self.tail is None else _last_lines(data, self.tail))
        if self.limit_bytes is None or size - start <= self.limit_bytes:
            return start, size
        if self.tail is None:
            end = start + self.limit_bytes
            whole = next((end - n for n in range(4) if not _continues(data, end - n)), end)
            # Not back to the start, or a client that goes on from there would never come further.
            return start, whole if whole > start else end
        start = size - self.limit_bytes
        return start + next((n for n in range(4) if not _continues(data, start + n)), 0), size


def _last_lines(data: bytes | bytearray, count: int) -> int:
    """Return where the last lines of a log begin; an unfinished one is a line."""
    if not count:
        return len(data)
    start = len(data) - data.endswith(b"\n")
    for _ in range(count):
        start = data.rfind(b"\n", 0, start)
        if start < 0:
            return 0
    return start + 1


def _continues(data: bytes | bytearray, at: int) -> bool:
    """Whether the byte there is one of a character that began before it."""
    return at < len(data) and data[at] & 0xC0 == 0x80


def read_window(query: Mapping[str, str]) -> Window:
    """Read the window that a query names.

    Raises:
        ApiError: 400, a parameter is wrong.
    """
    offset, tail, limit = (read_number(query, name) for name in ("offset", "tail", "limit_bytes"))
    return Window(offset or 0, tail, limit)


def read_number(given: Mapping[str, str], name: str) -> int | None:
    """Read a number of bytes or lines; None where there is none.

    Raises:
        ApiError: 400, it is no such number.
    """
    text = given.get(name)
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return int(text)
    raise ApiError(400, f"{name} must be a number of {'lines' if name == 'tail' else 'bytes'}")
