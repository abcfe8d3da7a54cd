"""The sync client of our own: an `httpx.Client` over a pool that knows one agent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

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

    _Connection = Http11[httpcore.NetworkStream]

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
        self._url = url
        self._ssl_context = ssl_context
        self._network = httpcore.SyncBackend()
        self._pool: Pool[_Connection] = Pool()
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and give back its answer with the body yet to be read.

        Raises:
            httpx.TransportError: It failed.
            RuntimeError: The pool is closed, or knows another agent.
        """
        refuse_other_origin(self._url, request.url)
        with httpx_errors(request):
            connection = self._take(request.extensions)
            try:
                _send(connection, request)
                answer = _answer(connection, request)
            except BaseException:
                self.give_back(connection)
                raise
        stream = connection.stream
        if answer.status_code == 101:
            stream = _UpgradeStream(stream, connection.unread())
        return httpx_answer(answer, stream, _Body(connection, self, request), request)

    def _take(self, extensions: Mapping[str, Any]) -> _Connection:
        with self._lock:
            connection, dead = self._pool.take()
        for one in dead:
            one.stream.close()
        return self._connect(extensions) if connection is None else connection

    def _connect(self, extensions: Mapping[str, Any]) -> _Connection:
        host, port = address(self._url)
        seconds = phase(extensions, "connect")
        stream = self._network.connect_tcp(host, port, timeout=seconds)
        try:
            trace = extensions.get("trace")
            if trace is not None:
                trace("connection.connect_tcp.complete", {"return_value": stream})
            if self._ssl_context is not None:
                self._ssl_context.set_alpn_protocols(["http/1.1"])
                stream = stream.start_tls(self._ssl_context, server_hostname=host, timeout=seconds)
            connection = Http11(stream)
            with self._lock:
                self._pool.add(connection)
        except BaseException:
            stream.close()
            raise
        return connection

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection for the next request, if it is fit for one."""
        with self._lock:
            out = self._pool.give_back(connection)
        if out:
            connection.stream.close()

    def close(self) -> None:
        """Close what is idle, and end what is in use: whoever uses it closes it."""
        with self._lock:
            idle, used = self._pool.close()
            for connection in used:
                with contextlib.suppress(OSError):
                    # Not SSLSocket's own method, which would pull the TLS state from under the reader.
                    socket.socket.shutdown(connection.stream.get_extra_info("socket"), socket.SHUT_RDWR)
        for connection in idle:
            connection.stream.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, whose end gives the connection back."""

    def __init__(self, connection: _Connection, transport: PooledTransport, request: httpx.Request) -> None:
        self._connection = connection
        self._transport = transport
        self._request = request
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        connection = self._connection
        seconds = phase(self._request.extensions, "read")
        with httpx_errors(self._request):
            while (piece := connection.piece()) != b"":
                if piece is None:
                    connection.receive(connection.stream.read(READ_SIZE, timeout=seconds))
                else:
                    yield piece

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._transport.give_back(self._connection)


class _UpgradeStream(httpcore.NetworkStream):
    """A stream on which something other than HTTP goes on, part of which was read already.

    Its parts have the names that httpcore gives them, by which log streams find what is beneath.
    """

    def __init__(self, stream: httpcore.NetworkStream, unread: bytes) -> None:
        self._stream = stream
        self._leading_data = unread

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._leading_data:
            data, self._leading_data = self._leading_data[:max_bytes], self._leading_data[max_bytes:]
            return data
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _send(connection: _Connection, request: httpx.Request) -> None:
    stream = connection.stream
    seconds = phase(request.extensions, "write")
    # Why it can't be sent may have been answered already.
    with contextlib.suppress(httpcore.WriteError):
        if isinstance(request.stream, httpx.ByteStream):
            stream.write(whole_request(connection, request), timeout=seconds)
            return
        stream.write(connection.head(request), timeout=seconds)
        for piece in cast("httpx.SyncByteStream", request.stream):
            stream.write(connection.body(piece), timeout=seconds)
        stream.write(connection.end(), timeout=seconds)


def _answer(connection: _Connection, request: httpx.Request) -> h11.Response | h11.InformationalResponse:
    seconds = phase(request.extensions, "read")
    while (answer := connection.answer()) is None:
        connection.receive(connection.stream.read(READ_SIZE, timeout=seconds))
    return answer
