"""The part of a log that a request asks for. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._rest._log_window import continues_character, last_lines
from ._reply import ApiError

__all__ = ["Window", "read_number", "read_window"]


@dataclass(frozen=True)
class Window:
    """A part of a log, from the later of `tail` lines before the end and `offset`."""

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
        start = max(self.offset, 0 if self.tail is None else last_lines(data, self.tail))
        if self.limit_bytes is None or size - start <= self.limit_bytes:
            return start, size
        if self.tail is None:
            end = start + self.limit_bytes
            whole = next((end - n for n in range(4) if not continues_character(data, end - n)), end)
            # Never an empty part, or a client that continues from its end would not advance.
            return start, whole if whole > start else end
        start = size - self.limit_bytes
        return start + next((n for n in range(4) if not continues_character(data, start + n)), 0), size


def read_window(query: Mapping[str, str]) -> Window:
    """Return the window of a query.

    Raises:
        ApiError: 400, a parameter is wrong.
    """
    offset, tail, limit = (read_number(query, name) for name in ("offset", "tail", "limit_bytes"))
    return Window(offset or 0, tail, limit)


def read_number(given: Mapping[str, str], name: str) -> int | None:
    """Return a number of bytes or lines; None if it is not given.

    Raises:
        ApiError: 400, it is not a number.
    """
    text = given.get(name)
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return int(text)
    raise ApiError(400, f"{name} must be a number of {'lines' if name == 'tail' else 'bytes'}")
