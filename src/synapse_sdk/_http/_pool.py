"""The connections that a client keeps open, and which of them is used next. No I/O.

The pool of httpcore looks at every connection and every request whenever a request begins or ends, which for
a hundred requests at once takes longer than all the rest. A client of ours has one agent, any number of
connections, and so no request that waits for one. So each connection is a stock `httpx.HTTPTransport`, whose
pool has one connection, and what is left to do here is a stack of idle ones.
"""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

__all__ = ["LAST_REQUEST", "AsyncIncoming", "Incoming", "Pool", "PooledConnection", "call_in_child"]

LAST_REQUEST = "synapse.last_request"
"""The extension of a request after which its connection is closed."""

# Idle connections at most. As many calls as this may be made at once, again and again, without reconnecting.
_MAX_IDLE = 1_000
# Seconds after which an idle connection isn't used any more.
_KEEPALIVE_EXPIRY = 5.0

# More than h11 accepts.
_MAX_HEAD = 262_144
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_WITHOUT_BODY = frozenset({204, 304})

T = TypeVar("T")


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


class PooledConnection(Generic[T]):
    """A transport that is used by one request at a time, so that it has one connection.

    Args:
        transport: A stock transport of httpx.
        loop: The event loop that it belongs to; None for a synchronous one.
    """

    __slots__ = ("expires", "incoming", "loop", "transport")

    def __init__(self, transport: T, loop: object = None) -> None:
        self.transport = transport
        self.loop = loop
        self.incoming: Incoming | None = None
        self.expires = 0.0

    def reset_for_reuse(self, response: httpx.Response, method: str) -> bool:
        """Get ready for the next request; return whether there can be one."""
        incoming = self.incoming
        if (
            incoming is None
            or response.extensions.get("network_stream") is not incoming.stream
            or not incoming.is_used_up(response, method)
            or incoming.is_closed()
        ):
            return False
        incoming.begin()
        self.expires = time.monotonic() + _KEEPALIVE_EXPIRY
        return True

    def is_usable(self, loop: object) -> bool:
        """Whether an idle connection may be used, in this event loop."""
        return (
            self.loop is loop
            and time.monotonic() <= self.expires
            and self.incoming is not None
            and self.incoming.is_quiet()
        )


class Pool(Generic[T]):
    """The connections of a client. Not safe for threads."""

    def __init__(self) -> None:
        self._all: set[PooledConnection[T]] = set()
        self._idle: deque[PooledConnection[T]] = deque()  # the one that was used last stands last
        self.closed = False

    def take(self, loop: object = None) -> tuple[PooledConnection[T] | None, list[PooledConnection[T]]]:
        """Return the usable connection that was used last, or None; and those to be closed."""
        self.check_open()
        idle = self._idle
        dead: list[PooledConnection[T]] = []
        taken: PooledConnection[T] | None = None
        while idle and taken is None:
            connection = idle.pop()
            if connection.is_usable(loop):
                taken = connection
            else:
                dead.append(connection)
        now = time.monotonic()
        while idle and idle[0].expires < now:
            dead.append(idle.popleft())
        self._all.difference_update(dead)
        return taken, dead

    def check_open(self) -> None:
        """Raise the error of httpx for a client that was closed."""
        if self.closed:
            raise RuntimeError("Cannot send a request, as the client has been closed.")

    def add(self, connection: PooledConnection[T]) -> None:
        """Note a new connection, which is in use."""
        self._all.add(connection)

    def holds(self, connection: PooledConnection[T]) -> bool:
        """Whether a connection is of this process; one from before a fork is not to be touched."""
        return connection in self._all

    def keep(self, connection: PooledConnection[T]) -> bool:
        """Keep a connection that is ready for the next request; return False if too many are kept."""
        if self.closed or len(self._idle) >= _MAX_IDLE:
            return False
        self._idle.append(connection)
        return True

    def discard(self, connection: PooledConnection[T]) -> None:
        """Forget a connection."""
        self._all.discard(connection)

    def close(self) -> tuple[list[PooledConnection[T]], list[PooledConnection[T]]]:
        """Keep none from now on; return those that were idle, and those in use."""
        self.closed = True
        idle = list(self._idle)
        self._idle.clear()
        self._all.difference_update(idle)
        return idle, list(self._all)

    def clear(self) -> list[PooledConnection[T]]:
        """Forget all connections; return those that were idle."""
        idle = list(self._idle)
        self._idle.clear()
        self._all.clear()
        return idle


_for_children: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()


def call_in_child(owner: T, function: Callable[[T], None]) -> None:
    """Have `function(owner)` called in the child process after a fork, as long as `owner` lives."""
    _for_children[owner] = function


def _after_fork_in_child() -> None:
    for owner, function in list(_for_children.items()):
        function(owner)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
