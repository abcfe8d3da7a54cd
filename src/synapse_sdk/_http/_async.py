"""The asynchronous transport of our own clients, for asyncio and trio."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx
import sniffio

from ._pool import LAST_REQUEST, AsyncIncoming, Pool, PooledConnection, call_in_child
from ._trace import connected_stream

__all__ = ["AsyncPooledTransport", "current_loop", "runs_trio"]

_Connection = PooledConnection[httpx.AsyncHTTPTransport]


def current_loop() -> object:
    """Return an object that stands for the running event loop.

    Raises:
        RuntimeError: No event loop is running.
    """
    if runs_trio():
        token: object = sys.modules["trio"].lowlevel.current_trio_token()
        return token
    return asyncio.get_running_loop()


def runs_trio() -> bool:
    """Check whether the running event loop is trio's."""
    try:
        return sniffio.current_async_library() == "trio"
    except sniffio.AsyncLibraryNotFoundError:
        return False  # asyncio between two tasks, or no event loop


class AsyncPooledTransport(httpx.AsyncBaseTransport):
    """Connections to one origin: as many as are wanted at once, kept open for the next requests.

    Each is a stock `httpx.AsyncHTTPTransport`. A connection is used in the event loop it was made in.

    Args:
        make: Makes a transport for one connection.
    """

    def __init__(self, make: Callable[[], httpx.AsyncHTTPTransport]) -> None:
        self._make = make
        self._pool: Pool[httpx.AsyncHTTPTransport] = Pool()
        call_in_child(self, AsyncPooledTransport.start_in_child)

    def start_in_child(self) -> None:
        """Leave the connections to the parent process, whose event loop closing one would disturb."""
        self._pool.clear()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its response with the body yet to be read.

        Raises:
            httpx.TransportError: It failed.
            RuntimeError: The client is closed.
        """
        loop = current_loop()
        connection, dead = self._pool.take(loop)
        if connection is None:
            connection = PooledConnection(self._make(), loop)
            self._pool.add(connection)
        try:
            for one in dead:
                await _close(one)
            if connection.incoming is None:
                response = await self._first(connection, request)
            else:
                response = await connection.transport.handle_async_request(request)
        except BaseException:
            await self._discard(connection)
            raise
        response.stream = _Body(response, request, connection, self)
        return response

    async def _first(self, connection: _Connection, request: httpx.Request) -> httpx.Response:
        """Send the first request of a connection, and get to know its network stream."""
        extensions = request.extensions
        trace = extensions.get("trace")

        async def watch(event: str, info: dict[str, Any]) -> None:
            stream = connected_stream(event, info)
            if stream is not None:
                connection.incoming = AsyncIncoming(stream)
                self._pool.check_open()
            if trace is not None:
                await trace(event, info)

        watched = request.extensions = {**extensions, "trace": watch}
        try:
            return await connection.transport.handle_async_request(request)
        finally:
            # httpcore keeps these with the response.
            del watched["trace"]
            request.extensions = extensions

    def holds(self, connection: _Connection) -> bool:
        """Whether a connection is of this process; one from before a fork is not to be touched."""
        return self._pool.holds(connection)

    async def release(self, connection: _Connection, reusable: bool) -> None:
        """Keep a connection whose response was read, or close it."""
        if not (reusable and self._pool.keep(connection)):
            await self._discard(connection)

    async def _discard(self, connection: _Connection) -> None:
        if self._pool.holds(connection):
            self._pool.discard(connection)
            await _close(connection)

    async def aclose(self) -> None:
        """Close all connections, those in use included: the task that uses one gets an error."""
        idle, used = self._pool.close()
        for connection in (*idle, *used):
            await _close(connection)


class _Body(httpx.AsyncByteStream):
    """The body of a response, whose end gives the connection back."""

    def __init__(
        self,
        response: httpx.Response,
        request: httpx.Request,
        connection: _Connection,
        transport: AsyncPooledTransport,
    ) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._response = response
        self._method = request.method
        self._keep = LAST_REQUEST not in request.extensions
        self._connection: _Connection | None = connection
        self._transport = transport

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None or not self._transport.holds(connection):
            return
        reusable = False
        try:
            await self._stream.aclose()
            reusable = self._keep and connection.reset_for_reuse(self._response, self._method)
        finally:
            await self._transport.release(connection, reusable)


async def _close(connection: _Connection) -> None:
    # Of an event loop that is over, or another one, the transports can't be closed; it has done so.
    with contextlib.suppress(RuntimeError), anyio.CancelScope(shield=True):
        if connection.loop is not current_loop():
            return
        await connection.transport.aclose()
        # httpcore lets go of a connection that is cancelled in its TLS handshake, and leaves it open.
        if connection.incoming is not None:
            await connection.incoming.stream.aclose()
