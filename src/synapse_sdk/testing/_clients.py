"""Clients that are connected to a fake agent."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from .._http._clients import user_agent
from .._rest._async import AsyncApiClient
from .._rest._sync import ApiClient
from ..clients.agent import AgentClient, AsyncAgentClient

__all__ = ["AsyncUnixTransport", "UnixTransport", "async_http_client", "http_client", "own", "own_async"]


class UnixTransport(httpx.HTTPTransport):
    """Send every request to a Unix socket, while `listens` returns true.

    For a refused connection, httpcore leaves its socket to the garbage collector, which warns about it.
    """

    def __init__(self, path: str | None, listens: Callable[[], bool]) -> None:
        # Nothing is encrypted, and loading certificates takes time.
        super().__init__(uds=path, verify=False)
        self._listens = listens

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._listens():
            raise _refused(request)
        return super().handle_request(request)


class AsyncUnixTransport(httpx.AsyncHTTPTransport):
    """The transport for `httpx.AsyncClient`."""

    def __init__(self, path: str | None, listens: Callable[[], bool]) -> None:
        super().__init__(uds=path, verify=False)
        self._listens = listens

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._listens():
            raise _refused(request)
        return await super().handle_async_request(request)


def _refused(request: httpx.Request) -> httpx.ConnectError:
    return httpx.ConnectError("Connection refused", request=request)


def http_client(transport: httpx.BaseTransport) -> httpx.Client:
    """Return an HTTP client like the one of an `AgentClient`, but without proxies."""
    return httpx.Client(transport=transport, headers=user_agent(), trust_env=False)


def async_http_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Return an HTTP client like the one of an `AsyncAgentClient`, but without proxies."""
    return httpx.AsyncClient(transport=transport, headers=user_agent(), trust_env=False)


def own(client: AgentClient, http: httpx.Client) -> AgentClient:
    """Make a client own its HTTP client, so that it closes it."""
    config = client._api_client.config  # pyright: ignore[reportPrivateUsage]
    client._api_client = ApiClient(config, http, owns_http=True)  # pyright: ignore[reportPrivateUsage]
    return client


def own_async(client: AsyncAgentClient, http: httpx.AsyncClient) -> AsyncAgentClient:
    """Make an asynchronous client own its HTTP client."""
    config = client._api_client.config  # pyright: ignore[reportPrivateUsage]
    client._api_client = AsyncApiClient(config, http, owns_http=True)  # pyright: ignore[reportPrivateUsage]
    return client
