"""The part of a log that a request asks for: its last lines, what follows an offset, a number of bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from ..errors import ApiError

__all__ = ["Window", "character_end", "character_start", "last_lines", "too_far"]

Read = Callable[[int, int], Awaitable[bytes]]

# Bytes of the first read backwards from the end; each further one reads twice as much, up to the second.
_FIRST_BLOCK, _LARGEST_BLOCK = 16 * 1024, 1024 * 1024


def too_far(offset: int) -> ApiError:
    return ApiError(416, f"the log has fewer than {offset} bytes")


@dataclass(frozen=True, slots=True)
class Window:
    """What a request asks for.

    Attributes:
        offset: The first byte, unless `tail` begins later.
        tail: The number of last lines to begin with.
        limit: The most bytes; of a stream, the most before its end when it is opened.
    """

    offset: int = 0
    tail: int | None = None
    limit: int | None = None

    @classmethod
    def of(cls, request: web.Request, *, last_event_id: bool = False) -> Window:
        """Read the query, or the header that a reconnect has instead; 400 if a value is not a number."""
        last = request.headers.get("Last-Event-ID") if last_event_id else None
        if last:
            return cls(_number(last, "Last-Event-ID", "bytes") or 0)
        query = request.query
        return cls(
            _number(query.get("offset"), "offset", "bytes") or 0,
            _number(query.get("tail"), "tail", "lines"),
            _number(query.get("limit_bytes"), "limit_bytes", "bytes"),
        )

    @property
    def from_end(self) -> bool:
        """Whether the log's end must be known to find where the window begins."""
        return self.tail is not None

    async def start(self, read: Read, end: int) -> int:
        """Return where the window begins in a log of `end` bytes; 416 if that is beyond the end."""
        if self.offset > end:
            raise too_far(self.offset)
        if self.tail is None:
            return self.offset
        floor = self.offset if self.limit is None else max(self.offset, end - self.limit)
        start = await last_lines(read, end, self.tail, floor=floor)
        if start == floor > self.offset:  # cut by the limit, perhaps inside a character
            start = await character_start(read, start, end)
        return start

    async def bounds(self, read: Read, end: int) -> tuple[int, int]:
        """Return the first offset of the window and the one after its last byte."""
        start = await self.start(read, end)
        if self.tail is None and self.limit is not None and end - start > self.limit:
            end = await character_end(read, start, start + self.limit)
        return start, end


def _number(text: str | None, name: str, unit: str) -> int | None:
    if not text:
        return None
    # isdecimal alone accepts the digits of other scripts; 18 digits fit a 64-bit number.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ApiError(400, f"{name} must be a number of {unit}")
    return int(text)


async def last_lines(read: Read, end: int, count: int, *, floor: int = 0) -> int:
    """Return where the last `count` lines before `end` begin, or `floor` if that is before it.

    A last line without a newline counts as one.
    """
    if count == 0:
        return end
    position, size, first = end, _FIRST_BLOCK, True
    while position > floor:
        start = max(floor, position - size)
        data = await _whole(read, start, position)
        stop = len(data)
        if first and data.endswith(b"\n"):
            stop -= 1  # it ends the last line and begins none
        first = False
        newlines = data.count(b"\n", 0, stop)
        if newlines >= count:
            for _ in range(count):
                stop = data.rfind(b"\n", 0, stop)
            return start + stop + 1
        count -= newlines
        position, size = start, min(2 * size, _LARGEST_BLOCK)
    return floor


async def character_start(read: Read, position: int, end: int) -> int:
    """Return the first offset from `position` on at which a character begins."""
    data = await _whole(read, position, min(end, position + 4))
    for skipped, byte in enumerate(data):
        if not _continues(byte):
            return position + skipped
    return position


async def character_end(read: Read, start: int, end: int) -> int:
    """Return `end`, moved back to where a character ends unless nothing would be left.

    The log goes on beyond `end`.
    """
    first = max(start, end - 3)
    data = await _whole(read, first, end + 1)
    for position in range(len(data) - 1, -1, -1):
        if not _continues(data[position]) and first + position > start:
            return first + position
    return end


def _continues(byte: int) -> bool:
    return byte & 0xC0 == 0x80


async def _whole(read: Read, start: int, end: int) -> bytes:
    parts: list[bytes] = []
    while start < end:
        part = await read(start, end - start)
        if not part:
            raise too_far(end)  # the log shrank
        parts.append(part)
        start += len(part)
    return b"".join(parts)
