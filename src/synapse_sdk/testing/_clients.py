"""Clients that are wired to a fake agent."""

from __future__ import annotations

import httpx

from synapse_sdk._transport._async import AsyncTransport
from synapse_sdk._transport._core import user_agent
from synapse_sdk._transport._sync import SyncTransport
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

__all__ = ["http_client", "async_http_client", "own", "own_async"]


def http_client(transport: httpx.BaseTransport) -> httpx.Client:
    """Make an HTTP client like the one that an `AgentClient` makes. Proxies are for other hosts."""
    return httpx.Client(transport=transport, headers=user_agent(), trust_env=False)


def async_http_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Make an HTTP client like the one that an `AsyncAgentClient` makes."""
    return httpx.AsyncClient(transport=transport, headers=user_agent(), trust_env=False)


def own(client: AgentClient, http: httpx.Client) -> AgentClient:
    """Have a client close its HTTP client when it is closed, which it does not do with one it was given."""
    connection = client._transport.connection  # pyright: ignore[reportPrivateUsage]
    client._transport = SyncTransport(connection, http, owns_http=True)  # pyright: ignore[reportPrivateUsage]
    return client


def own_async(client: AsyncAgentClient, http: httpx.AsyncClient) -> AsyncAgentClient:
    """Do the same for the asynchronous one."""
    connection = client._transport.connection  # pyright: ignore[reportPrivateUsage]
    client._transport = AsyncTransport(connection, http, owns_http=True)  # pyright: ignore[reportPrivateUsage]
    return client
