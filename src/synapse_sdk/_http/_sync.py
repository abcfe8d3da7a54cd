"""The synchronous transport of our own clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from ._deadline import end_socket
from ._pool import LAST_REQUEST, Incoming, Pool, PooledConnection, call_in_child
from ._trace import REUSED, connected_stream

__all__ = ["PooledTransport"]

_Connection = PooledConnection[httpx.HTTPTransport]


class PooledTransport(httpx.BaseTransport):
    """Connections to one origin: as many as are wanted at once, kept open for the next requests.

    Each is a stock `httpx.HTTPTransport`. Safe to use from several threads, and after a fork.

    Args:
        make: Makes a transport for one connection.
    """

    def __init__(self, make: Callable[[], httpx.HTTPTransport]) -> None:
        self._make = make
        self._pool: Pool[httpx.HTTPTransport] = Pool()
        self._lock = threading.Lock()
        call_in_child(self, PooledTransport.start_in_child)

    def start_in_child(self) -> None:
        """Leave the connections, and a lock that another thread may hold, to the parent process."""
        self._lock = threading.Lock()
        for connection in self._pool.clear():
            if connection.incoming is not None:
                # The lock of its own pool may be held too. This closes a descriptor, and sends nothing.
                connection.incoming.stream.get_extra_info("socket").close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its response with the body yet to be read.

        Raises:
            httpx.TransportError: It failed.
            RuntimeError: The client is closed.
        """
        connection = self._take()
        try:
            if connection.incoming is None:
                response = self._first(connection, request)
            else:
                trace = request.extensions.get("trace")
                if trace is not None:
                    trace(REUSED, {"return_value": connection.incoming.stream})
                response = connection.transport.handle_request(request)
        except BaseException:
            self._discard(connection)
            raise
        response.stream = _Body(response, request, connection, self)
        return response

    def _take(self) -> _Connection:
        with self._lock:
            connection, dead = self._pool.take()
            if connection is None:
                connection = PooledConnection(self._make())
                self._pool.add(connection)
        for one in dead:
            one.transport.close()
        return connection

    def _first(self, connection: _Connection, request: httpx.Request) -> httpx.Response:
        """Send the first request of a connection, and get to know its network stream."""
        extensions = request.extensions
        trace = extensions.get("trace")

        def watch(event: str, info: dict[str, Any]) -> None:
            stream = connected_stream(event, info)
            if stream is not None:
                connection.incoming = Incoming(stream)
                with self._lock:
                    self._pool.check_open()
            if trace is not None:
                trace(event, info)

        watched = request.extensions = {**extensions, "trace": watch}
        try:
            return connection.transport.handle_request(request)
        finally:
            # httpcore keeps these with the response.
            del watched["trace"]
            request.extensions = extensions

    def release(self, connection: _Connection, reusable: bool) -> None:
        """Keep a connection whose response was read, or close it."""
        with self._lock:
            if reusable and self._pool.holds(connection) and self._pool.keep(connection):
                return
        self._discard(connection)

    def _discard(self, connection: _Connection) -> None:
        with self._lock:
            known = self._pool.holds(connection)
            self._pool.discard(connection)
        if known:
            connection.transport.close()

    def close(self) -> None:
        """Close idle connections, and end those in use: the thread that uses one closes it."""
        with self._lock:
            idle, used = self._pool.close()
        for connection in used:
            if connection.incoming is not None:
                end_socket(connection.incoming.stream.get_extra_info("socket"))
        for connection in idle:
            connection.transport.close()


class _Body(httpx.SyncByteStream):
    """The body of a response, whose end gives the connection back."""

    def __init__(
        self,
        response: httpx.Response,
        request: httpx.Request,
        connection: _Connection,
        transport: PooledTransport,
    ) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        self._stream = response.stream
        self._response = response
        self._method = request.method
        self._keep = LAST_REQUEST not in request.extensions
        self._connection: _Connection | None = connection
        self._transport = transport

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        reusable = False
        try:
            self._stream.close()
            reusable = self._keep and connection.reset_for_reuse(self._response, self._method)
        finally:
            self._transport.release(connection, reusable)
