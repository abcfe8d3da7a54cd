"""Calls of both clients over a transport that records what they send and gives the answers of a handler."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from synapse_agent_api.types import Model
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

from .agent_spec import SERVER

__all__ = ["CLIENTS", "TOKEN", "Handler", "call", "given_back"]

TOKEN = "agent-token"
CLIENTS = ("sync", "async")
Handler = Callable[[httpx.Request], httpx.Response]


def call(client: str, handler: Handler, name: str, arguments: Mapping[str, Any], **options: Any) -> Any:
    """Call a method of the `sync` or the `async` client, with `handler` in place of an agent."""
    options = {"max_retries": 0, **options}
    transport = httpx.MockTransport(handler)
    if client == "sync":
        with (
            httpx.Client(transport=transport) as http,
            AgentClient(SERVER, TOKEN, http_client=http, **options) as agent,
        ):
            return getattr(agent, name)(**arguments)

    async def awaited() -> Any:
        async with (
            httpx.AsyncClient(transport=transport) as http,
            AsyncAgentClient(SERVER, TOKEN, http_client=http, **options) as agent,
        ):
            return await getattr(agent, name)(**arguments)

    return asyncio.run(awaited())


def given_back(result: Any) -> Any:
    """What came, out of what a method made of it."""
    match result:
        case Model():
            return result.to_dict()
        case list():
            return [given_back(item) for item in result]
        case dict():
            return {key: given_back(item) for key, item in result.items()}
        case datetime.date():
            return result.isoformat()
        case _:
            return result
