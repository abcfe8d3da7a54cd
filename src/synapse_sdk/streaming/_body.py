"""The body of an HTTP/1.1 answer, without I/O: bytes from the network go in, those of the body come out."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Body", "BrokenBodyError"]

# A chunk's size and extensions, or a line of the trailer. An agent's are a dozen bytes.
_MAX_LINE = 16_384
_MAX_TRAILER = 65_536
_HEX_DIGITS = b"0123456789abcdefABCDEF"


class BrokenBodyError(Exception):
    """A body is framed in a way that can't be read."""


class Body:
    """Takes the framing off a body.

    Args:
        headers: The headers of the answer; names are looked up in lower case.
        decoded: Whether what goes in is the bare body already.

    Raises:
        BrokenBodyError: So does `receive`.
    """

    def __init__(self, headers: Mapping[str, str], *, decoded: bool = False) -> None:
        self.decoded = decoded
        self.ended = False
        self._buffer: bytes = b""
        self._trailer = 0
        self._left: int | None = 0  # bytes of the present chunk, or of the body; None: until the end
        self._chunked = False
        self._in_trailer = False
        coding = headers.get("transfer-encoding", "").strip().lower()
        length = headers.get("content-length", "").strip()
        if decoded:
            self._left = None
        elif coding:
            if coding != "chunked":
                raise _broken(f"its transfer encoding is {coding[:60]!r}")
            self._chunked = True
        elif length:
            if not (length.isascii() and length.isdecimal() and len(length) <= 18):
                raise _broken(f"its content length is {length[:60]!r}")
            self._left = int(length)
            self.ended = self._left == 0
        else:
            self._left = None

    @property
    def cut(self) -> bool:
        """Whether an end of the connection now would cut the body."""
        return not self.ended and self._left is not None

    def receive(self, data: bytes) -> bytes:
        """Take the bytes of one read; give those of the body."""
        if self._chunked:
            return self._chunks(data)
        if self._left is None:
            return data
        data = data[: self._left]
        self._left -= len(data)
        self.ended = self._left == 0
        return data

    def _chunks(self, data: bytes) -> bytes:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        parts: list[bytes] = []
        left = self._left or 0
        start, size = 0, len(data)
        while start < size and not self.ended:
            if left > 2:
                # The two bytes behind a chunk count as a part of it.
                part = data[start : start + left - 2]
                parts.append(part)
                start += len(part)
                left -= len(part)
                continue
            if left:
                line_end = data[start : start + 2]
                if len(line_end) < 2 and line_end != b"\n":
                    break
                # A bare newline is what some write; h11 and curl take it too.
                if line_end != b"\r\n" and line_end[:1] != b"\n":
                    raise _broken("a chunk is longer than its size says")
                start += 2 if line_end == b"\r\n" else 1
                left = 0
                continue
            newline = data.find(b"\n", start)
            if newline < 0:
                break
            line = data[start:newline]
            start = newline + 1
            if self._in_trailer:
                self._trailer += len(line) + 1
                self.ended = line in (b"", b"\r")
            else:
                chunk = _chunk_size(line)
                self._in_trailer = chunk == 0
                end = start + chunk
                if chunk and data[end : end + 2] == b"\r\n":
                    # A whole chunk, as most are.
                    parts.append(data[start:end])
                    start = end + 2
                else:
                    left = chunk + 2 if chunk else 0
        self._left = left
        if not self.ended:
            self._buffer = data[start:]
            if len(self._buffer) > _MAX_LINE or self._trailer > _MAX_TRAILER:
                raise _broken("a line between its chunks never ends")
        return b"".join(parts)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip(b" \t\r")
    # int() alone would take signs, underscores and a prefix.
    if not 0 < len(digits) <= 16 or digits.strip(_HEX_DIGITS):
        raise _broken(f"a chunk has the size {line[:40]!r}")
    return int(digits, 16)


def _broken(why: str) -> BrokenBodyError:
    return BrokenBodyError(f"the body of the agent's answer can't be read: {why}")
