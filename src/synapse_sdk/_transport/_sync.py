"""The sync transport."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import httpx

from ._core import Exchange, closed_error, http_options, http_options_error, refuse_http_client

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation

    from .._connection import Connection
    from ._core import Proxy, Verify

__all__ = ["SyncTransport"]

T = TypeVar("T")


class SyncTransport:
    """Calls operations over an `httpx.Client`; safe to use from several threads.

    Args:
        connection: Where to, and with which credentials.
        http: What sends.
        owns_http: Whether `close` closes it.
    """

    __slots__ = ("_closed", "_owns_http", "connection", "http")

    def __init__(self, connection: Connection, http: httpx.Client, owns_http: bool) -> None:
        self.connection = connection
        self.http = http
        self._owns_http = owns_http
        self._closed = False

    @classmethod
    def open(
        cls,
        connection: Connection,
        *,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: httpx.Client | None = None,
    ) -> SyncTransport:
        """Make a transport over the client that was given, or over one of our own.

        Raises:
            ValidationError: 400, if an option is wrong.
        """
        if http_client is not None:
            refuse_http_client(http_client, "Client", verify, proxy)
            return cls(connection, http_client, owns_http=False)
        try:
            http = httpx.Client(**http_options(connection, verify, proxy))
        except Exception as exc:
            raise http_options_error(exc) from exc
        return cls(connection, http, owns_http=True)

    @property
    def closed(self) -> bool:
        """Whether this, or the client below, was closed."""
        return self._closed or self.http.is_closed

    def check_open(self, operation: str) -> None:
        """Raise if this is closed.

        Raises:
            ClientConnectionError: 503.
        """
        if self.closed:
            raise closed_error(self.connection, operation)

    def call(self, operation: Operation[T], arguments: Arguments, /) -> T:
        """Call an operation and give back its decoded result.

        Raises:
            ClientError: Whatever goes wrong.
        """
        exchange = Exchange(self.connection, operation, arguments)
        try:
            while True:
                self.check_open(operation.summary)
                request = exchange.request(self.http)
                try:
                    response = self._send(request, exchange)
                except Exception as exc:  # noqa: BLE001 - nothing foreign gets out; failed() raises
                    delay = exchange.failed(exc)
                else:
                    again = exchange.received(response)
                    if again is None:
                        return exchange.result(response)
                    delay = again
                if delay:
                    time.sleep(delay)
        finally:
            exchange.close()

    def close(self) -> None:
        """Close the connections, if they are ours; no call can be made any more. Twice is fine."""
        self._closed = True
        if self._owns_http:
            self.http.close()

    def _send(self, request: httpx.Request, exchange: Exchange[T]) -> httpx.Response:
        # auth=None, because the auth of an injected client would replace our Authorization.
        response = self.http.send(request, auth=None, stream=True, follow_redirects=False)
        exchange.began(response.status_code)
        try:
            response.read()
        finally:
            response.close()
        return response
