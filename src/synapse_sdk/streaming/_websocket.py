"""The WebSocket under a tail, without I/O: the handshake, and text messages out of frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key, generate_key

from synapse_sdk.streaming._events import Batch, load_object, load_objects

if TYPE_CHECKING:
    from websockets.frames import Frame

__all__ = ["Handshake", "WebSocket"]


class Handshake:
    """One opening handshake: the headers to send, and the check of what comes back."""

    def __init__(self) -> None:
        self._key = generate_key()

    @property
    def headers(self) -> dict[str, str]:
        """Headers that ask for a WebSocket. Compression is not asked for."""
        return {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": self._key,
        }

    def refusal(self, headers: Mapping[str, str]) -> str | None:
        """Tell what is wrong with the headers of a 101 answer, or None."""
        if headers.get("upgrade", "").lower() != "websocket":
            return "the answer does not upgrade to a WebSocket"
        if headers.get("sec-websocket-accept", "").strip() != accept_key(self._key):
            return "the answer's Sec-WebSocket-Accept does not belong to the key sent"
        if "sec-websocket-extensions" in headers or "sec-websocket-protocol" in headers:
            return "the answer names an extension or subprotocol that was not asked for"
        return None


class WebSocket:
    """An open WebSocket: bytes come in; text messages, and bytes to send, come out.

    Whole text messages in one frame, nearly all that an agent sends, are cut from what was read; every other
    frame is left to `websockets`.
    """

    def __init__(self, *, max_size: int) -> None:
        self._protocol = Protocol(Side.CLIENT, max_size=max_size)
        self._max_size = max_size
        self._unread = b""  # the beginning of a frame
        self._fragments: list[bytes] = []
        self._pings = 0
        self._invalid_utf8: str | None = None
        self.ended = False

    @property
    def inside(self) -> bool:
        """Whether a message has begun and is not whole yet."""
        return bool(self._unread or self._fragments)

    def receive(self, data: bytes) -> Batch:
        """Take the bytes of one read, none at the end; give the messages that are whole now."""
        if not data:
            self._protocol.receive_data(self._unread)
            self._protocol.receive_eof()
            self._unread = b""
            payloads = self._events()
            self.ended = True
        else:
            payloads = self._cut(data)
        if not payloads:
            return Batch([])
        values = load_objects(payloads)
        return Batch(None, self._valid(payloads)) if values is None else Batch(values)

    def event(self, data: bytes) -> dict[str, Any] | None:
        """Give the JSON object in one plain frame, if the bytes of a read are that; nothing is kept."""
        size = len(data)
        if size < 6 or data[0] != 0x81 or self._unread or self._fragments or self.ended:
            return None
        length = data[1]
        if length < 126:
            return load_object(data[2:]) if length == size - 2 else None
        if length == 126 and (data[2] << 8 | data[3]) == size - 4:
            return load_object(data[4:])
        return None

    def _cut(self, data: bytes) -> list[bytes]:
        """Cut frames from `data`, and keep what is left of it."""
        payloads: list[bytes] = []
        start = 0
        if self._unread:
            # The frame that had begun is put together alone, not with all of what follows.
            missing = 0 if self._fragments else _missing(self._unread, data)
            frame = self._unread + data[:missing]
            if missing and _cut_plain(frame, 0, payloads) == len(frame):
                start = missing
            else:
                data = self._unread + data
        size = len(data)
        while start < size and not self.ended:
            if not self._fragments:
                start = _cut_plain(data, start, payloads)
                if start == size:
                    break
            end = _frame_end(data, start, self._max_size)
            if end is None:
                break
            self._protocol.receive_data(data[start:end])
            payloads += self._events()
            start = end
        self._unread = data[start:]
        return payloads

    def _events(self) -> list[bytes]:
        """Give the payloads of the messages that `websockets` has put together."""
        payloads: list[bytes] = []
        # There are no requests and responses, for the handshake was another's.
        for event in cast("list[Frame]", self._protocol.events_received()):
            if event.opcode is Opcode.CLOSE:
                self.ended = True
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if event.data or event.fin:  # empty ones would add up without end
                    self._fragments.append(bytes(event.data))
                if event.fin:
                    payloads.append(b"".join(self._fragments))
                    self._fragments.clear()
        if self._protocol.parser_exc is not None:
            self.ended = True
        return payloads

    def _valid(self, payloads: list[bytes]) -> list[str]:
        """Give the messages before the first that is no UTF-8, which ends the connection."""
        messages: list[str] = []
        for payload in payloads:
            try:
                messages.append(payload.decode())
            except UnicodeDecodeError as exc:
                if self._protocol.state is State.OPEN:
                    self._protocol.fail(CloseCode.INVALID_DATA, f"invalid UTF-8: {exc.reason}")
                self._invalid_utf8 = f"invalid UTF-8: {exc.reason}"
                self.ended = True
                break
        return messages

    def output(self) -> bytes:
        """Give the bytes to send: answers to pings and closes, pings of ours."""
        return b"".join(self._protocol.data_to_send())

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self._pings += 1
        self._protocol.send_ping(b"%d" % self._pings)

    def close(self) -> None:
        """Say goodbye, unless that was said; the answer is not waited for."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    @property
    def too_big(self) -> str | None:
        """What is known of a message refused for its size, or None."""
        exc = self._protocol.parser_exc
        return str(exc) if isinstance(exc, PayloadTooBig) else None

    @property
    def end(self) -> str:
        """How the connection ended, in words."""
        exc = self._protocol.parser_exc
        if self._invalid_utf8 is not None:
            return self._invalid_utf8
        close = self._protocol.close_rcvd
        if close is not None:
            return f"the agent closed the WebSocket with code {close.code} {close.reason}".rstrip()
        if exc is not None and not isinstance(exc, EOFError):
            return f"the agent broke the WebSocket protocol: {exc}"
        return "the connection broke without a close frame"

    @property
    def closed(self) -> bool:
        """Whether the agent closed the connection by the book."""
        return self._protocol.close_rcvd is not None

    @property
    def invalid_utf8(self) -> bool:
        """Whether the agent sent text that is no UTF-8."""
        return self._invalid_utf8 is not None


def _cut_plain(data: bytes, start: int, payloads: list[bytes]) -> int:
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
        if end > last + 4:
            break
        append(data[begin:end])
        start = end
    return start


def _missing(begun: bytes, data: bytes) -> int:
    """Tell how many bytes a frame that has begun lacks, or 0 if that is not one for `_cut_plain`."""
    head = begun[:4] + data[: max(0, 4 - len(begun))]
    if len(head) < 4 or head[0] != 0x81 or head[1] > 126:
        return 0
    length = head[1] + 2 if head[1] < 126 else (head[2] << 8 | head[3]) + 4
    return max(0, length - len(begun))


def _frame_end(data: bytes, start: int, max_size: int) -> int | None:
    """Tell where the frame at `start` ends, None if it isn't whole.

    A frame above `max_size` isn't waited for: what is there of it is enough to refuse it.
    """
    size = len(data)
    if start + 2 > size:
        return None
    second = data[start + 1]
    length = second & 127
    extended = {126: 2, 127: 8}.get(length, 0)
    begin = start + 2 + extended
    if begin > size:
        return None
    if extended:
        length = int.from_bytes(data[start + 2 : begin])
    if length > max_size:
        return size
    end = begin + length + (4 if second & 128 else 0)
    return end if end <= size else None
