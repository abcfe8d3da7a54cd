"""One HTTP/1.1 connection: which bytes to send, and what those say that came. No I/O; h11 does the work."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

import h11
import httpcore
import httpx

__all__ = ["Http11", "KEEPALIVE_EXPIRY", "READ_SIZE"]

KEEPALIVE_EXPIRY = 5.0
"""Seconds after which an idle connection isn't used any more."""

READ_SIZE = 65_536
# Bytes of headers that are taken.
_MAX_HEADERS = 100 * 1024

S = TypeVar("S", httpcore.NetworkStream, httpcore.AsyncNetworkStream)


class Http11(Generic[S]):
    """A connection, used by one request after the other.

    Args:
        stream: What it goes over.
    """

    def __init__(self, stream: S) -> None:
        self.stream: S = stream
        # By this name log streams find it, which read a body by themselves.
        self.h11_connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEADERS)
        self._expires = 0.0

    # --- sending

    def head(self, request: httpx.Request) -> bytes:
        """Give the bytes to send before the body."""
        target = request.url.raw_path
        event = h11.Request(method=request.method, target=target, headers=request.headers.raw)
        return self.h11_connection.send(event) or b""

    def body(self, data: bytes) -> bytes:
        """Give the bytes to send for a piece of the body."""
        return self.h11_connection.send(h11.Data(data)) or b"" if data else b""

    def end(self) -> bytes:
        """Give the bytes to send after the body."""
        return self.h11_connection.send(h11.EndOfMessage()) or b""

    # --- receiving

    def receive(self, data: bytes) -> None:
        """Take what was read, none at its end."""
        if not data and self.h11_connection.their_state is h11.SEND_RESPONSE:
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        self.h11_connection.receive_data(data)

    def answer(self) -> h11.Response | h11.InformationalResponse | None:
        """Give the head of the answer, or None where more has to be read for it."""
        while True:
            event = self.h11_connection.next_event()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise httpcore.RemoteProtocolError(f"no answer, but {event!r}")
            if event.status_code == 101:
                return event

    def piece(self) -> bytes | None:
        """Give a piece of the body, empty at its end, or None where more has to be read for it."""
        while True:
            event = self.h11_connection.next_event()
            if event is h11.NEED_DATA:
                return None
            if not isinstance(event, h11.Data):
                return b""
            if event.data:
                return bytes(event.data)

    def unread(self) -> bytes:
        """Give what was read behind the head of an answer that ends HTTP, or behind a whole answer."""
        return bytes(self.h11_connection.trailing_data[0])

    # --- in the pool

    def finish(self) -> bool:
        """Get ready for the next request; tell whether there can be one."""
        connection = self.h11_connection
        # What came behind an answer would be taken for the answer to the next request.
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE or self.unread():
            return False
        connection.start_next_cycle()
        self._expires = time.monotonic() + KEEPALIVE_EXPIRY
        return True

    def has_expired(self) -> bool:
        """Whether an idle connection can't be used: for its age, or because the peer has closed it."""
        return time.monotonic() > self._expires or bool(self.stream.get_extra_info("is_readable"))
