"""The WebSocket under a tail: text messages out of frames, and answers to them. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Opcode
from websockets.protocol import Protocol, Side, State

from ._messages import Batch, load_objects

if TYPE_CHECKING:
    from websockets.frames import Frame

__all__ = ["WebSocket"]


class WebSocket:
    """An open WebSocket: bytes come in; text messages, and bytes to send, come out.

    Whole text messages in one frame, nearly all that an agent sends, are cut from what was read; every other
    frame is left to `websockets`.
    """

    def __init__(self, *, max_size: int) -> None:
        self._protocol = Protocol(Side.CLIENT, max_size=max_size)
        self._max_size = max_size
        self._unread: list[bytes] = []  # the beginning of a frame, as it was read
        self._missing = 0  # bytes still needed to know more of that frame
        self._fragments: list[bytes] = []
        self._left = max_size  # bytes that the message may still grow by
        self._pings = 0
        self._broken: str | None = None
        self.ended = False

    @property
    def inside(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        return bool(self._unread or self._fragments)

    def receive(self, data: bytes) -> Batch:
        """Take the bytes of one read, none at the end; return the messages that are whole now."""
        if not data:
            self._protocol.receive_data(b"".join(self._unread))
            self._protocol.receive_eof()
            self._unread = []
            payloads = self._events()
            self.ended = True
        else:
            payloads = self._cut(data)
        if not payloads:
            return Batch([])
        values = load_objects(payloads)
        return Batch(None, self._valid(payloads)) if values is None else Batch(values)

    def _cut(self, data: bytes) -> list[bytes]:
        """Cut frames from `data`, and keep what is left of it."""
        payloads: list[bytes] = []
        if self._unread:
            self._unread.append(data)
            self._missing -= len(data)
            # To join at every read would copy a long frame again and again.
            if self._missing > 0:
                return payloads
            data = b"".join(self._unread)
            self._unread = []
        start, size = 0, len(data)
        while start < size and not self.ended:
            if not self._fragments:
                start = _cut_plain(data, start, self._max_size, payloads)
                if start == size:
                    break
            end = start + _frame_size(data[start : start + 10], self._left)
            if end > size:
                self._unread, self._missing = [data[start:]], end - size
                break
            self._protocol.receive_data(data[start:end])
            payloads += self._events()
            start = end
        return payloads

    def _events(self) -> list[bytes]:
        """Return the payloads of the messages that `websockets` has put together."""
        payloads: list[bytes] = []
        # There are no requests and responses, for the handshake was another's.
        for event in cast("list[Frame]", self._protocol.events_received()):
            if event.opcode is Opcode.CLOSE:
                self.ended = True
            elif event.opcode is Opcode.BINARY:
                self._fail(CloseCode.UNSUPPORTED_DATA, "a binary frame")
                break
            elif event.opcode in (Opcode.TEXT, Opcode.CONT):
                if event.data or event.fin:  # empty ones would add up without end
                    self._fragments.append(bytes(event.data))
                    self._left -= len(event.data)
                if event.fin:
                    payloads.append(b"".join(self._fragments))
                    self._fragments.clear()
                    self._left = self._max_size
        if self._protocol.parser_exc is not None:
            self.ended = True
        return payloads

    def _valid(self, payloads: list[bytes]) -> list[str]:
        """Return the messages before the first that is not valid UTF-8, which ends the connection."""
        messages: list[str] = []
        for payload in payloads:
            try:
                messages.append(payload.decode())
            except UnicodeDecodeError as exc:
                self._fail(CloseCode.INVALID_DATA, f"invalid UTF-8 ({exc.reason})")
                break
        return messages

    def _fail(self, code: CloseCode, reason: str) -> None:
        """End the connection for something that `websockets` does not check itself."""
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code, reason)
        self._broken = f"the agent sent {reason} over the WebSocket (close code {code.value})"
        self.ended = True

    def output(self) -> bytes:
        """Return the bytes to send: answers to pings and closes, and pings."""
        return b"".join(self._protocol.data_to_send())

    def ping(self) -> None:
        """Send a ping, which a peer that is alive answers."""
        self._pings += 1
        self._protocol.send_ping(b"%d" % self._pings)

    def close(self) -> None:
        """Send a close frame, unless one was sent; its answer is not waited for."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    @property
    def broken(self) -> str | None:
        """What the agent sent that is not a text frame by the protocol, or None."""
        if self._broken is not None:
            return self._broken
        exc = self._protocol.parser_exc
        if exc is None or isinstance(exc, (EOFError, PayloadTooBig)):
            return None
        return f"the agent broke the WebSocket protocol: {exc}"

    @property
    def too_big(self) -> str | None:
        """What is known of a message refused for its size, or None."""
        exc = self._protocol.parser_exc
        return str(exc) if isinstance(exc, PayloadTooBig) else None

    @property
    def end(self) -> str:
        """A description of how the connection ended."""
        if self.broken is not None:
            return self.broken
        close = self._protocol.close_rcvd
        if close is not None:
            return f"the agent closed the WebSocket with code {close.code} {close.reason}".rstrip()
        return "the connection broke without a close frame"

    @property
    def closed(self) -> bool:
        """Whether the agent closed the connection with a close frame."""
        return self._protocol.close_rcvd is not None and self.broken is None


def _cut_plain(data: bytes, start: int, max_size: int, payloads: list[bytes]) -> int:
    """Add the payloads of whole, unfragmented, unmasked text frames up to the first that isn't one."""
    append = payloads.append
    last = len(data) - 4
    while start <= last and data[start] == 0x81:
        length = data[start + 1]
        if length < 126:
            begin = start + 2
        elif length == 126:
            begin = start + 4
            length = data[start + 2] << 8 | data[start + 3]
        else:
            break
        end = begin + length
        if end > last + 4 or length > max_size:
            break
        append(data[begin:end])
        start = end
    return start


def _frame_size(head: bytes, max_size: int) -> int:
    """Return the size of a frame by its first ten bytes; if there are fewer, how many are needed to know it.

    A frame above `max_size` isn't waited for: its header is enough to refuse it.
    """
    if len(head) < 2:
        return 2
    length = head[1] & 127
    extended = {126: 2, 127: 8}.get(length, 0)
    begin = 2 + extended
    if len(head) < begin:
        return begin
    if extended:
        length = int.from_bytes(head[2:begin])
    if length > max_size:
        return begin
    return begin + length + (4 if head[1] & 128 else 0)
