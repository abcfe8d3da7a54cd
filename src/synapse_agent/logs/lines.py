"""From the bytes of a log to the messages of a stream. No I/O."""

from __future__ import annotations

__all__ = ["PIECE", "LineSplitter", "Message"]

# A line longer than this is sent in pieces, so that neither side has to hold more of it.
PIECE = 64 * 1024

# Text without its newline, and the number of log bytes up to and including it and its newline.
Message = tuple[str, int]


class LineSplitter:
    """Cuts blocks into whole lines at `\\n` only, each decoded by itself.

    A piece of a line longer than `PIECE` has no newline in the log, so its offset is just its own
    bytes further; pieces end where a character does.
    """

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._pending = b""

    def feed(self, block: bytes) -> list[Message]:
        """Return the messages that `block` completes."""
        *lines, rest = (self._pending + block).split(b"\n") if self._pending else block.split(b"\n")
        messages: list[Message] = []
        offset = self._offset
        for line in lines:
            size = len(line)
            if size > PIECE:
                self._offset = offset
                line = self._cut(line, messages)
                offset, size = self._offset, len(line)
            offset += size + 1
            messages.append((line.decode("utf-8", "replace"), offset))
        self._offset = offset
        self._pending = self._cut(rest, messages)
        return messages

    def finish(self) -> list[Message]:
        """Return the last line, if the log ended without a newline."""
        if not self._pending:
            return []
        self._offset += len(self._pending)
        text, self._pending = self._pending.decode("utf-8", "replace"), b""
        return [(text, self._offset)]

    def _cut(self, line: bytes, messages: list[Message]) -> bytes:
        """Move the pieces of an overlong line to `messages`; return the rest, at least one byte."""
        start = 0
        while len(line) - start > PIECE:
            end = start + PIECE
            while end > start + PIECE - 3 and line[end] & 0xC0 == 0x80:
                end -= 1
            if line[end] & 0xC0 == 0x80:  # no UTF-8 anyway
                end = start + PIECE
            self._offset += end - start
            messages.append((line[start:end].decode("utf-8", "replace"), self._offset))
            start = end
        return line[start:]
