"""What passes from agent to client, read along: where messages end, and how far the log got."""

from __future__ import annotations

import json

__all__ = ["Stream"]


class Stream:
    """Reads the bytes of one stream's answer along.

    Attributes:
        position: Bytes so far.
        boundary: Whether a message of the transport, a frame or a chunk, ended there.
        websocket: Whether it is a WebSocket, as far as its head was seen.
        reached: How far the log got with whole messages, in a measure that only grows along it.
    """

    def __init__(self, *, newline: int) -> None:
        self.position = 0
        self.boundary = False
        self.websocket = False
        self.reached = 0
        self._in_head = True
        self._newline = newline
        self._measure = 0
        self._pending = bytearray()
        self._chunk_left = 0  # its line end included
        self._line = bytearray()

    @property
    def at_most(self) -> int:
        """How far a reader can have got who takes an event for whole before its line has ended."""
        before = self.reached, self._measure
        self._event(bytes(self._line))
        found = self.reached
        self.reached, self._measure = before
        return found

    def step(self, data: bytes) -> int:
        """How many bytes of `data` to take at once, so that it is known where exactly `reached` changed."""
        if self._in_head:
            return 1
        if self.websocket:
            return min(len(data), self._frame_size() - len(self._pending))
        return data.find(b"\n") + 1 or len(data)

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self.position += len(data)
        self._pending += data
        if self._in_head:
            end = self._pending.find(b"\r\n\r\n")
            if end < 0:
                return
            self._in_head = False
            self.websocket = self._pending.startswith(b"HTTP/1.1 101")
            del self._pending[: end + 4]
        if self.websocket:
            while len(self._pending) >= (size := self._frame_size()):
                self._frame(size)
            self.boundary = not self._pending
        else:
            while self._pending and self._chunk():
                pass
            self.boundary = not self._pending and not self._chunk_left

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

    def _frame(self, size: int) -> None:
        head = {126: 4, 127: 10}.get(self._pending[1] & 127, 2)
        if self._pending[0] & 15 == 1:
            self._message(bytes(self._pending[head:size]))
        del self._pending[:size]

    def _chunk(self) -> bool:
        """Take what there is of one chunk; tell whether there may be another."""
        if not self._chunk_left:
            end = self._pending.find(b"\r\n")
            if end < 0:
                return False
            self._chunk_left = int(bytes(self._pending[:end]), 16) + 2
            del self._pending[: end + 2]
        body = bytes(self._pending[: max(0, self._chunk_left - 2)])
        taken = len(self._pending[: self._chunk_left])
        del self._pending[:taken]
        self._chunk_left -= taken
        *lines, rest = body.split(b"\n")
        for line in lines:
            self._event(bytes(self._line) + line)
            self._line.clear()
        self._line += rest
        return True

    def _event(self, line: bytes) -> None:
        if line.startswith(b"data: "):
            self._message(line[6:])

    def _message(self, data: bytes) -> None:
        try:
            event = json.loads(data)
        except ValueError:
            return
        if event.get("type") != "log":
            return
        self._measure += len(event["message"].encode()) + self._newline
        self.reached = event.get("offset", self._measure)
