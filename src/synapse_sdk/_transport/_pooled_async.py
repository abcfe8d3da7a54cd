"""The async client of our own, on asyncio and trio: an `httpx.AsyncClient` over a pool of one agent."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import httpx

from ._asyncio_network import connect_tcp
from ._pool import (
    KEEPALIVE_EXPIRY,
    Pool,
    RequestBuilder,
    closed_error,
    core_request,
    httpx_error,
    keep_cookies,
    origin_of,
    phase,
)

if TYPE_CHECKING:
    import ssl

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
        response.request = request
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
        self._origin = origin_of(url)
        self._ssl_context = ssl_context
        self._pool: Pool[httpcore.AsyncHTTP11Connection, httpcore.AsyncNetworkStream] = Pool()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and give back its answer with the body yet to be read.

        Raises:
            httpx.TransportError: It failed.
            RuntimeError: The pool is closed.
        """
        core = core_request(request)
        try:
            connection = await self._take(core)
            try:
                answer = await connection.handle_async_request(core)
            except BaseException:
                await self.give_back(connection)
                raise
        except Exception as exc:
            error = httpx_error(exc, request)
            if error is exc:
                raise
            raise error from exc
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream, connection, self, request),
            extensions=answer.extensions,
        )

    async def _take(self, request: httpcore.Request) -> httpcore.AsyncHTTP11Connection:
        connection, dead = self._pool.take()
        try:
            for one in dead:
                await _close(one)
        except BaseException:
            if connection is not None:
                await self.give_back(connection)
            raise
        return await self._connect(request.extensions) if connection is None else connection

    async def _connect(self, extensions: Mapping[str, Any]) -> httpcore.AsyncHTTP11Connection:
        host = self._origin.host.decode("ascii")
        seconds = phase(extensions, "connect")
        stream = await _connected(host, self._origin.port, seconds)
        try:
            trace = extensions.get("trace")
            if trace is not None:
                await trace("connection.connect_tcp.complete", {"return_value": stream})
            if self._ssl_context is not None:
                self._ssl_context.set_alpn_protocols(["http/1.1"])
                stream = await stream.start_tls(self._ssl_context, server_hostname=host, timeout=seconds)
            connection = httpcore.AsyncHTTP11Connection(
                self._origin, stream, keepalive_expiry=KEEPALIVE_EXPIRY
            )
            self._pool.add(connection, stream)
        except BaseException:
            # httpcore leaves a connection open that is cancelled in its TLS handshake.
            await _close(stream)
            raise
        return connection

    async def give_back(self, connection: httpcore.AsyncHTTP11Connection) -> None:
        """Keep a connection for the next request, if it is fit for one."""
        if self._pool.give_back(connection):
            await _close(connection)

    async def aclose(self) -> None:
        """Close all connections, those in use included."""
        idle, used = self._pool.close()
        for connection in (*idle, *used):
            await _close(connection)


class _Body(httpx.AsyncByteStream):
    """The body of an answer, whose end gives the connection back."""

    def __init__(
        self,
        stream: Any,
        connection: httpcore.AsyncHTTP11Connection,
        transport: AsyncPooledTransport,
        request: httpx.Request,
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._transport = transport
        self._request = request
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except Exception as exc:
            error = httpx_error(exc, self._request)
            if error is exc:
                raise
            raise error from exc

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
        finally:
            # asyncio's own cancellation passes a shield.
            await self._transport.give_back(self._connection)


async def _close(what: httpcore.AsyncHTTP11Connection | httpcore.AsyncNetworkStream) -> None:
    with anyio.CancelScope(shield=True):
        await what.aclose()


async def _connected(host: str, port: int, timeout: float | None) -> httpcore.AsyncNetworkStream:
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            trio.lowlevel.current_task()
        except RuntimeError:
            pass
        else:
            return await httpcore.TrioBackend().connect_tcp(host, port, timeout=timeout)
    return await connect_tcp(host, port, timeout)
