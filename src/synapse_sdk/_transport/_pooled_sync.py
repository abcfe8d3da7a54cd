"""The sync client of our own: an `httpx.Client` over a pool that knows one agent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

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

__all__ = ["PooledClient", "PooledTransport"]


class PooledClient(httpx.Client):
    """An `httpx.Client` whose requests go straight to the pool.

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
        self._pooled = PooledTransport(url, ssl_context)
        super().__init__(transport=self._pooled, headers=headers, timeout=timeout, trust_env=False)
        self._builder = RequestBuilder(self, url)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """Build a request as httpx does, by a shorter way where there is neither a form nor a cookie."""
        request = self._builder.build(method, url, **options)
        return super().build_request(method, url, **options) if request is None else request

    def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Send a request; without auth and redirects, whatever is asked for."""
        if self.is_closed:
            raise closed_error()
        response = self._pooled.handle_request(request)
        response.request = request
        keep_cookies(self, response)
        if not stream:
            try:
                response.read()
            finally:
                response.close()
        return response


class PooledTransport(httpx.BaseTransport):
    """Connections to one origin: as many as are wanted at once, kept open for the next requests.

    Safe to use from several threads.

    Args:
        url: Where they go.
        ssl_context: For https.
    """

    def __init__(self, url: httpx.URL, ssl_context: ssl.SSLContext | None) -> None:
        self._origin = origin_of(url)
        self._ssl_context = ssl_context
        self._network = httpcore.SyncBackend()
        self._pool: Pool[httpcore.HTTP11Connection, httpcore.NetworkStream] = Pool()
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and give back its answer with the body yet to be read.

        Raises:
            httpx.TransportError: It failed.
            RuntimeError: The pool is closed.
        """
        core = core_request(request)
        try:
            connection = self._take(core)
            try:
                answer = connection.handle_request(core)
            except BaseException:
                self.give_back(connection)
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

    def _take(self, request: httpcore.Request) -> httpcore.HTTP11Connection:
        with self._lock:
            connection, dead = self._pool.take()
        for one in dead:
            one.close()
        return self._connect(request.extensions) if connection is None else connection

    def _connect(self, extensions: Mapping[str, Any]) -> httpcore.HTTP11Connection:
        host = self._origin.host.decode("ascii")
        seconds = phase(extensions, "connect")
        stream = self._network.connect_tcp(host, self._origin.port, timeout=seconds)
        try:
            trace = extensions.get("trace")
            if trace is not None:
                trace("connection.connect_tcp.complete", {"return_value": stream})
            if self._ssl_context is not None:
                self._ssl_context.set_alpn_protocols(["http/1.1"])
                stream = stream.start_tls(self._ssl_context, server_hostname=host, timeout=seconds)
            connection = httpcore.HTTP11Connection(self._origin, stream, keepalive_expiry=KEEPALIVE_EXPIRY)
            with self._lock:
                self._pool.add(connection, stream)
        except BaseException:
            stream.close()
            raise
        return connection

    def give_back(self, connection: httpcore.HTTP11Connection) -> None:
        """Keep a connection for the next request, if it is fit for one."""
        with self._lock:
            out = self._pool.give_back(connection)
        if out:
            connection.close()

    def close(self) -> None:
        """Close what is idle, and end what is in use: whoever uses it closes it."""
        with self._lock:
            idle, used = self._pool.close()
            for stream in used.values():
                with contextlib.suppress(OSError):
                    # Not SSLSocket's own method, which would pull the TLS state from under the reader.
                    socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)
        for connection in idle:
            connection.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, whose end gives the connection back."""

    def __init__(
        self,
        stream: Any,
        connection: httpcore.HTTP11Connection,
        transport: PooledTransport,
        request: httpx.Request,
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._transport = transport
        self._request = request
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except Exception as exc:
            error = httpx_error(exc, self._request)
            if error is exc:
                raise
            raise error from exc

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._stream.close()
        finally:
            self._transport.give_back(self._connection)
