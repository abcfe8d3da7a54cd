"""Count what is read from a connection, to decide whether another request may use it. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

__all__ = ["REUSED", "AsyncIncoming", "Incoming", "connected_stream"]

REUSED = "synapse.reuse.complete"
"""The event by which a transport of ours announces that a connection is used again."""

# More than h11 accepts.
_MAX_HEAD = 262_144
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_WITHOUT_BODY = frozenset({204, 304})


def connected_stream(event: str, info: dict[str, Any]) -> Any:
    """Return the network stream that an event of httpcore's trace extension announces, or None.

    A TLS stream takes the place of the TCP stream that was announced before.
    """
    if event.endswith((".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")):
        return info.get("return_value")
    return None


class Incoming:
    """Counts the bytes read from a network stream.

    h11 keeps bytes that came behind a response and takes them for the next one, and httpcore has no way to
    ask for them. So the reads are counted: a connection is used again only if the last response was all that
    was read.

    Args:
        stream: The network stream; its `read` is replaced by one that counts.
    """

    __slots__ = ("_before", "_body", "_head", "_last", "stream")

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.begin()
        stream.read = self._counted(stream.read)

    def _counted(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def counted(max_bytes: int, timeout: float | None = None) -> bytes:
            data: bytes = read(max_bytes, timeout)
            self._add(data)
            return data

        return counted

    def begin(self) -> None:
        """Expect the response to a new request."""
        self._head: bytes | None = b""
        self._body = 0
        self._before = self._last = b""

    def _add(self, data: bytes) -> None:
        self._before, self._last = self._last[-len(_LAST_CHUNK) :], data
        if self._head is None:
            self._body += len(data)
            return
        head = self._head + data
        while (end := head.find(b"\r\n\r\n")) >= 0:
            body = head[end + 4 :]
            if head[9:12] == b"101":
                del self.stream.read  # what comes now is not HTTP, and the connection is not used again
                return
            if head[9:10] != b"1":  # not an interim response
                self._head = None
                self._before, self._last = b"\r\n", body
                self._body = len(body)
                return
            head = body
        # Without an end, the connection is not used again.
        self._head = head[-_MAX_HEAD:]

    def is_used_up(self, response: httpx.Response, method: str) -> bool:
        """Check that a response, read to its end, was all that came."""
        if self._head is not None:
            return False
        headers = response.headers
        if method == "HEAD" or response.status_code in _WITHOUT_BODY:
            return self._body == 0
        if "transfer-encoding" in headers:
            read = self._before + self._last
            return read.find(_LAST_CHUNK) == len(read) - len(_LAST_CHUNK)
        length = headers.get("content-length", "")
        return length.isdecimal() and self._body == int(length)

    def is_closed(self) -> bool:
        """Whether the connection was closed on this side."""
        fileno: int = self.stream.get_extra_info("socket").fileno()
        return fileno < 0

    def is_quiet(self) -> bool:
        """Check that the peer has neither sent anything unasked nor closed the connection."""
        if self.stream.get_extra_info("is_readable"):
            return False
        tls = self.stream.get_extra_info("ssl_object")
        return tls is None or _is_quiet(tls)


class AsyncIncoming(Incoming):
    """The same for an asynchronous network stream."""

    __slots__ = ()

    def _counted(self, read: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(max_bytes: int, timeout: float | None = None) -> bytes:
            data: bytes = await read(max_bytes, timeout)
            self._add(data)
            return data

        return counted


def _is_quiet(tls: Any) -> bool:
    import ssl

    if tls.pending():
        return False
    if not isinstance(tls, ssl.SSLObject):
        return True  # it reads from the socket, which was looked at
    # Records may wait in its memory, decrypted or not; only reading shows what they are.
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return True
    except ssl.SSLError:
        pass
    return False
