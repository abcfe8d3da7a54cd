"""Clients of all kinds: synchronous and asynchronous, on asyncio and trio, ours and injected."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient


@pytest.fixture
def use(backend: str) -> Callable[..., Any]:
    """Call `function(client)`, whose methods are awaited where they are to be, and close the client.

    `library` makes the HTTP client to inject: httpx or httpx2; None has the SDK make its own.
    """

    def used(function: Callable[[Any], Any], url: str, library: Any = None, **options: Any) -> Any:
        if backend == "sync":
            http = None if library is None else library.Client()
            with AgentClient(url, "a-token", http_client=http, **options) as client:
                try:
                    return function(Calls(client))
                finally:
                    if http is not None:
                        http.close()

        async def main() -> Any:
            async with AsyncExitStack() as stack:
                http = None if library is None else await stack.enter_async_context(library.AsyncClient())
                client = AsyncAgentClient(url, "a-token", http_client=http, **options)
                await stack.enter_async_context(client)
                return await anyio.to_thread.run_sync(function, AsyncCalls(client))

        return anyio.run(main, backend=backend)

    return used


class Calls:
    """Calls of a synchronous client."""

    def __init__(self, client: AgentClient) -> None:
        self.client = client

    def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        return getattr(self.client, method)(*args, **options)

    def lines(self, *args: Any, **options: Any) -> list[str]:
        with self.client.tail_job_logs(*args, **options) as stream:
            return list(stream)


class AsyncCalls:
    """The same calls of an asynchronous client, from a thread beside its event loop."""

    def __init__(self, client: AsyncAgentClient) -> None:
        self.client = client

    def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        async def call() -> Any:
            return await getattr(self.client, method)(*args, **options)

        return anyio.from_thread.run(call)

    def lines(self, *args: Any, **options: Any) -> list[str]:
        async def read() -> list[str]:
            async with self.client.tail_job_logs(*args, **options) as stream:
                return [line async for line in stream]

        return anyio.from_thread.run(read)
