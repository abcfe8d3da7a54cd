"""The ways to a fake agent: sync, asyncio and trio clients, each in this process and over a real socket."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import anyio
import pytest
from backends import BACKENDS, Backend

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.testing import FakeAgent

__all__ = ["WAYS", "Tailed", "Way", "each_protocol", "each_backend", "each_way"]

T = TypeVar("T")


@dataclass
class Tailed:
    """What a tail came to."""

    lines: list[str] = field(default_factory=list[str])
    events: list[str] = field(default_factory=list[str])
    protocol: str = ""
    status: str | None = None
    reconnects: int = 0


@dataclass(frozen=True)
class Way:
    backend: Backend
    where: Literal["in-process", "socket"]

    def __str__(self) -> str:
        return f"{self.backend}-{self.where}"

    def call(
        self, agent: FakeAgent, method: str, *args: Any, client: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Call a method of a client of its own; what it walks over comes as a list."""
        if self.backend == "sync":
            with self._client(agent, client or {}) as sync:
                found = getattr(sync, method)(*args, **kwargs)
                return list(found) if inspect.isgenerator(found) else found

        async def call() -> Any:
            async with self._async_client(agent, client or {}) as other:
                found = getattr(other, method)(*args, **kwargs)
                return [item async for item in found] if inspect.isasyncgen(found) else await found

        return self._run(call)

    def tail(
        self,
        agent: FakeAgent,
        job_id: str,
        *,
        on_line: Callable[[str], object] = lambda line: None,
        see: Callable[[Any], object] = lambda stream: None,
        client: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tailed:
        """Tail a job to the end; with each line, `on_line` is called with it and `see` with the stream."""
        tailed = Tailed()
        options.setdefault("on_event", lambda event: tailed.events.append(event.kind))

        def done(stream: Any) -> Tailed:
            tailed.protocol, tailed.status = stream.protocol, stream.job_status
            tailed.reconnects = stream.reconnects
            return tailed

        if self.backend == "sync":
            with self._client(agent, client or {}) as sync, sync.tail_job_logs(job_id, **options) as stream:
                for line in stream:
                    tailed.lines.append(line)
                    on_line(line)
                    see(stream)
            return done(stream)

        async def tail() -> Tailed:
            async with (
                self._async_client(agent, client or {}) as other,
                other.tail_job_logs(job_id, **options) as stream,
            ):
                async for line in stream:
                    tailed.lines.append(line)
                    on_line(line)
                    see(stream)
            return done(stream)

        return self._run(tail)

    def tail_many(
        self,
        agent: FakeAgent,
        job_ids: list[str],
        take: Callable[[tuple[str, str], Any], bool],
        **options: Any,
    ) -> None:
        """Tail several jobs until `take`, called with each pair and the stream, has enough."""
        if self.backend == "sync":
            with self._client(agent, {}) as sync, sync.tail_many(job_ids, **options) as stream:
                for pair in stream:
                    if take(pair, stream):
                        return
            return

        async def tail() -> None:
            async with self._async_client(agent, {}) as other, other.tail_many(job_ids, **options) as stream:
                async for pair in stream:
                    if take(pair, stream):
                        return

        self._run(tail)

    def _client(self, agent: FakeAgent, options: dict[str, Any]) -> AgentClient:
        if self.where == "in-process":
            return agent.client(**options)
        return AgentClient(agent.serve(), options.pop("agent_token", agent.token), **options)

    def _async_client(self, agent: FakeAgent, options: dict[str, Any]) -> AsyncAgentClient:
        if self.where == "in-process":
            return agent.async_client(**options)
        return AsyncAgentClient(agent.serve(), options.pop("agent_token", agent.token), **options)

    def _run(self, function: Callable[[], Awaitable[T]]) -> T:
        return anyio.run(function, backend=self.backend)


WAYS = [Way(backend, where) for backend in BACKENDS for where in ("in-process", "socket")]
each_way = pytest.mark.parametrize("way", WAYS, ids=str)
# Where every way would be one too many.
each_backend = pytest.mark.parametrize("way", [WAYS[1], WAYS[2], WAYS[4]], ids=str)
each_protocol = pytest.mark.parametrize("protocol", ["websocket", "http"])
