"""The WebSocket under a tail, without I/O: the handshake, and text messages out of frames."""

from __future__ import annotations

from collections.abc import Mapping

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key, generate_key

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
    """An open WebSocket: bytes come in; text messages, and bytes to send, come out."""

    def __init__(self, *, max_size: int) -> None:
        self._protocol = Protocol(Side.CLIENT, max_size=max_size)
        self._parts: list[bytes] = []
        self._pings = 0
        self.ended = False

    def receive(self, data: bytes) -> list[str]:
        """Take the bytes of one read, none at the end; give the messages that are whole now."""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
            self.ended = True
        messages: list[str] = []
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                continue
            if event.opcode is Opcode.CLOSE:
                self.ended = True
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts.append(bytes(event.data))
                if event.fin:
                    payload = b"".join(self._parts) if len(self._parts) > 1 else self._parts[0]
                    self._parts.clear()
                    try:
                        messages.append(payload.decode())
                    except UnicodeDecodeError as exc:
                        self._protocol.fail(CloseCode.INVALID_DATA, f"invalid UTF-8: {exc.reason}")
                        self.ended = True
                        break
        if self._protocol.parser_exc is not None:
            self.ended = True
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
        if self._protocol.close_sent is not None and self._protocol.close_sent.code == CloseCode.INVALID_DATA:
            return self._protocol.close_sent.reason
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
        sent = self._protocol.close_sent
        return sent is not None and sent.code == CloseCode.INVALID_DATA
