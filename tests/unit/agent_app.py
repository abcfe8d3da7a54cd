"""An agent's application on a free port, without a cluster, for tests of its HTTP behaviour."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from synapse_agent.app import make_app
from synapse_agent.context import AgentContext
from synapse_agent.database import Database
from synapse_agent.http.access import AccessLog
from synapse_agent.http.limits import Limits
from synapse_agent.http.listener import Listener
from synapse_agent.logs.locate import Locator
from synapse_agent.logs.registry import Logs
from synapse_agent.ray.client import RayClient
from synapse_agent.tokens import Tokens

__all__ = ["TOKEN", "Agent", "asynchronous", "hanging_ray", "serving"]

NOWHERE = "http://127.0.0.1:1"
TOKEN = "token-of-the-agent"


@asynccontextmanager
async def serving(
    directory: Path,
    *,
    ray: str = NOWHERE,
    limits: Limits | None = None,
    tokens: Tokens | None = None,
    **options: Any,
) -> AsyncIterator[Agent]:
    """Serve an agent with this Ray; further options are those of `AgentContext`."""
    client_of_ray = RayClient(ray, None)
    context = AgentContext(client_of_ray, TOKEN, Database(directory / "index.sqlite3"), **options)
    logs = Logs(client_of_ray, Locator(client_of_ray, log_dir=None, token=None), None)
    limits = limits or Limits()
    runner = web.AppRunner(
        make_app(context, logs, limits=limits, tokens=tokens),
        access_log_class=AccessLog,
        keepalive_timeout=limits.idle_timeout,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    assert runner.server is not None
    listener = Listener(runner.server, limits.connections)
    try:
        sock = socket.create_server(("127.0.0.1", 0))
        await listener.listen(sock)
        url = "http://{}:{}".format(*sock.getsockname())
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": TOKEN}) as client:
            yield Agent(url, client, context, runner.server)
    finally:
        listener.close()
        await runner.cleanup()
        await logs.close()


class Agent:
    def __init__(
        self, url: str, client: httpx.AsyncClient, context: AgentContext, server: web.Server
    ) -> None:
        self.server = server
        self.url = url
        self.client = client
        self.context = context

    async def raw(self, data: bytes, *, eof: bool = False) -> bytes:
        """Send bytes over a connection and return all that comes back until the agent closes it."""
        parsed = httpx.URL(self.url)
        reader, writer = await asyncio.open_connection(parsed.host, parsed.port)
        try:
            writer.write(data)
            if eof:
                writer.write_eof()
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def hanging_ray() -> AsyncIterator[str]:
    """Listen where Ray should, accept every connection, and never answer."""
    connections: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in connections:
            writer.close()


def asynchronous(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test; fixtures are passed on."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))  # type: ignore[arg-type]

    return run
