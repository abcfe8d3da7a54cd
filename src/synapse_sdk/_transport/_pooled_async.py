"""The async client of our own, on asyncio and trio: an `httpx.AsyncClient` over a pool of one agent."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import anyio
import httpcore
import httpx

from ._asyncio_network import connect_tcp
from ._http11 import READ_SIZE, Http11
from ._pool import (
    Pool,
    RequestBuilder,
    address,
    closed_error,
    httpx_answer,
    httpx_errors,
    keep_cookies,
    phase,
    refuse_other_origin,
    whole_request,
)

if TYPE_CHECKING:
    import ssl

    import h11

    _Connection = Http11[httpcore.AsyncNetworkStream]

__all__ = ["AsyncPooledClient", "AsyncPooledTransport"]


class AsyncPooledClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` whose requests go straight to the pool.

    Auth, redirects, hooks and mounts are left out, because a client of our own has none.

    Args:
        url: Where all requests go.
        ssl_context: For https.
        headers: Of every request.
        timeout: Of requests that have none of their own.
    """

    def __init__(
        self,
        url: httpx.URL,
        ssl_context: ssl.SSLContext | None,
        headers: dict[str, str],
        timeout: httpx.Timeout,
    ) -> None:
        self._pooled = AsyncPooledTransport(url, ssl_context)
        super().__init__(transport=self._pooled, headers=headers, timeout=timeout, trust_env=False)
        self._builder = RequestBuilder(self, url)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """Build a request as httpx does, by a shorter way where there is neither a form nor a cookie."""
        request = self._builder.build(method, url, **options)
        return super().build_request(method, url, **options) if request is None else request

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Send a request; without auth and redirects, whatever is asked for."""
        if self.is_closed:
            raise closed_error()
        response = await self._pooled.handle_async_request(request)
        keep_cookies(self, response)
        if not stream:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response


class AsyncPooledTransport(httpx.AsyncBaseTransport):
    """Connections to one origin: as many as are wanted at once, kept open for the next requests.

    Args:
        url: Where they go.
        ssl_context: For https.
    """

    def __init__(self, url: httpx.URL, ssl_context: ssl.SSLContext | None) -> None:
        self._url = url
        self._ssl_context = ssl_context
        self._pool: Pool[_Connection] = Pool()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and give back its answer with the body yet to be read.

        Raises:
            httpx.TransportError: It failed.
            RuntimeError: The pool is closed, or knows another agent.
        """
        refuse_other_origin(self._url, request.url)
        with httpx_errors(request):
            connection = await self._take(request.extensions)
            try:
                await _send(connection, request)
                answer = await _answer(connection, request)
            except BaseException:
                await self.give_back(connection)
                raise
        stream = connection.stream
        if answer.status_code == 101:
            stream = _UpgradeStream(stream, connection.unread())
        return httpx_answer(answer, stream, _Body(connection, self, request), request)

    async def _take(self, extensions: Mapping[str, Any]) -> _Connection:
        connection, dead = self._pool.take()
        try:
            for one in dead:
                await _close(one.stream)
        except BaseException:
            if connection is not None:
                await self.give_back(connection)
            raise
        return await self._connect(extensions) if connection is None else connection

    async def _connect(self, extensions: Mapping[str, Any]) -> _Connection:
        host, port = address(self._url)
        seconds = phase(extensions, "connect")
        stream = await _connected(host, port, seconds)
        try:
            trace = extensions.get("trace")
            if trace is not None:
                await trace("connection.connect_tcp.complete", {"return_value": stream})
            if self._ssl_context is not None:
                self._ssl_context.set_alpn_protocols(["http/1.1"])
                stream = await stream.start_tls(self._ssl_context, server_hostname=host, timeout=seconds)
            connection = Http11(stream)
            self._pool.add(connection)
        except BaseException:
            await _close(stream)
            raise
        return connection

    async def give_back(self, connection: _Connection) -> None:
        """Keep a connection for the next request, if it is fit for one."""
        if self._pool.give_back(connection):
            await _close(connection.stream)

    async def aclose(self) -> None:
        """Close all connections, those in use included: who uses one has an error."""
        idle, used = self._pool.close()
        for connection in (*idle, *used):
            await _close(connection.stream)


class _Body(httpx.AsyncByteStream):
    """The body of an answer, whose end gives the connection back."""

    def __init__(
        self, connection: _Connection, transport: AsyncPooledTransport, request: httpx.Request
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._request = request
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._connection
        seconds = phase(self._request.extensions, "read")
        with httpx_errors(self._request):
            while (piece := connection.piece()) != b"":
                if piece is None:
                    connection.receive(await connection.stream.read(READ_SIZE, timeout=seconds))
                else:
                    yield piece

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await self._transport.give_back(self._connection)


class _UpgradeStream(httpcore.AsyncNetworkStream):
    """A stream on which something other than HTTP goes on, part of which was read already.

    Its parts have the names that httpcore gives them, by which log streams find what is beneath.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, unread: bytes) -> None:
        self._stream = stream
        self._leading_data = unread

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._leading_data:
            data, self._leading_data = self._leading_data[:max_bytes], self._leading_data[max_bytes:]
            return data
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


async def _send(connection: _Connection, request: httpx.Request) -> None:
    stream = connection.stream
    seconds = phase(request.extensions, "write")
    # Why it can't be sent may have been answered already.
    with contextlib.suppress(httpcore.WriteError):
        if isinstance(request.stream, httpx.ByteStream):
            await stream.write(whole_request(connection, request), timeout=seconds)
            return
        await stream.write(connection.head(request), timeout=seconds)
        async for piece in cast("httpx.AsyncByteStream", request.stream):
            await stream.write(connection.body(piece), timeout=seconds)
        await stream.write(connection.end(), timeout=seconds)


async def _answer(
    connection: _Connection, request: httpx.Request
) -> h11.Response | h11.InformationalResponse:
    seconds = phase(request.extensions, "read")
    while (answer := connection.answer()) is None:
        connection.receive(await connection.stream.read(READ_SIZE, timeout=seconds))
    return answer


async def _close(stream: httpcore.AsyncNetworkStream) -> None:
    with anyio.CancelScope(shield=True):
        await stream.aclose()


async def _connected(host: str, port: int, timeout: float | None) -> httpcore.AsyncNetworkStream:
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            trio.lowlevel.current_task()
        except RuntimeError:
            pass
        else:
            backend: httpcore.AsyncNetworkBackend = cast("Any", httpcore).TrioBackend()
            return await backend.connect_tcp(host, port, timeout=timeout)
    return await connect_tcp(host, port, timeout)
