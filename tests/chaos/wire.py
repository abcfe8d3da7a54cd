"""What passes through the proxy from agent to client, read along: where messages end, and how far the log got."""

from __future__ import annotations

import json

__all__ = ["Stream"]


class Stream:
    """Reads the bytes of one stream's answer along.

    `boundaries` are the positions where a message of the transport (a frame, a chunk) ended, so that another
    could be put there; `reached` tells how far the log got, in a measure that only grows along it.
    """

    def __init__(self, *, newline: int) -> None:
        self.position = 0
        self.head: bytes | None = None
        self.websocket = False
        self.reached = 0
        self.boundary = False
        self._newline = newline
        self._measure = 0
        self._pending = bytearray()
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes; `boundary` is then whether they ended with a whole message."""
        self.position += len(data)
        self._pending += data
        if self.head is None:
            end = self._pending.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = bytes(self._pending[:end])
            del self._pending[: end + 4]
            self.websocket = self.head.startswith(b"HTTP/1.1 101")
        while self._frame() if self.websocket else self._chunk():
            pass
        self.boundary = not self._pending

    def missing(self) -> int:
        """How many bytes there are at least before the next boundary."""
        if self.head is None:
            return 1
        needed = self._frame_size() if self.websocket else self._chunk_size()
        return max(1, needed - len(self._pending))

    def _frame_size(self) -> int:
        data = self._pending
        if len(data) < 2:
            return 2
        size, head = data[1] & 127, 2
        if size > 125:
            head = 4 if size == 126 else 10
            if len(data) < head:
                return head
            size = int.from_bytes(data[2:head], "big")
        return head + size

    def _frame(self) -> bool:
        size = self._frame_size()
        if len(self._pending) < size or size < 2:
            return False
        head = {126: 4, 127: 10}.get(self._pending[1] & 127, 2)
        if self._pending[0] & 15 == 1:
            self._message(bytes(self._pending[head:size]))
        del self._pending[:size]
        return True

    def _chunk_size(self) -> int:
        end = self._pending.find(b"\r\n")
        if end < 0:
            return len(self._pending) + 1
        return end + 4 + int(bytes(self._pending[:end]), 16)

    def _chunk(self) -> bool:
        size = self._chunk_size()
        if len(self._pending) < size:
            return False
        start = self._pending.find(b"\r\n") + 2
        self._body += self._pending[start : size - 2]
        del self._pending[:size]
        while (end := self._body.find(b"\n")) >= 0:
            line = bytes(self._body[:end])
            del self._body[: end + 1]
            if line.startswith(b"data: "):
                self._message(line[6:])
        return True

    def _message(self, data: bytes) -> None:
        try:
            event = json.loads(data)
        except ValueError:
            return
        if event.get("type") != "log":
            return
        self._measure += len(event["message"].encode()) + self._newline
        self.reached = event.get("offset", self._measure)
