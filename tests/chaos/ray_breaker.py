"""Stands between an agent and Ray, dashboard and nodes alike, and breaks requests by the seed."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter

import aiohttp
from aiohttp import web

__all__ = ["RayBreaker"]

# RST before the answer; RST within it; no answer while the connection stays; an error page of a proxy; Ray's
# own answer when too much is going on; nobody there for a while.
_HOW = ("refuse", "cut", "stall", "bad gateway", "too many", "away")
_WEIGHTS = (6, 8, 1, 3, 3, 1)

# Seconds that nobody is there.
_AWAY = 1.5


class RayBreaker:
    """Listens on two free ports of 127.0.0.1 while it is entered.

    Args:
        dashboard: URL of the real one.
        rng: Decides which requests break, and how.
        breaks: How many; those after them get through.
        often: The share of requests that break.
    """

    def __init__(self, dashboard: str, rng: random.Random, *, breaks: int, often: float) -> None:
        self.done: Counter[str] = Counter()
        self._dashboard = dashboard
        self._node = ""
        self._rng = rng
        self._left = breaks
        self._often = often
        self._away_until = 0.0

    @property
    def url(self) -> str:
        """What the agent takes for the dashboard."""
        return f"http://127.0.0.1:{self._ports[0]}"

    async def __aenter__(self) -> RayBreaker:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._runners: list[web.AppRunner] = []
        self._ports: list[int] = []
        for handler in (self._to_dashboard, self._to_node):
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._runners.append(runner)
            self._ports.append(runner.addresses[0][1])
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self._session.close()

    async def _to_dashboard(self, request: web.Request) -> web.StreamResponse:
        return await self._break_or_pass(request, self._dashboard)

    async def _to_node(self, request: web.Request) -> web.StreamResponse:
        return await self._break_or_pass(request, self._node)

    async def _break_or_pass(self, request: web.Request, upstream: str) -> web.StreamResponse:
        how = self._draw()
        if how is not None:
            self.done[how] += 1
        if how in ("refuse", "away"):
            return self._reset(request)
        if how == "stall":
            await asyncio.sleep(3_600)
        if how == "bad gateway":
            return web.Response(status=502, text="<h1>502</h1>", content_type="text/html")
        if how == "too many":
            return web.Response(status=429, text="Max number of in-progress requests=100 reached.")
        status, headers, body = await self._answer(request, upstream)
        if how is None:
            return web.Response(status=status, headers=headers, body=body)
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: self._rng.randrange(len(body) + 1)])
        return self._reset(request)

    def _draw(self) -> str | None:
        now = asyncio.get_running_loop().time()
        if now < self._away_until:
            return "away"
        if self._left <= 0 or self._rng.random() > self._often:
            return None
        self._left -= 1
        how = self._rng.choices(_HOW, _WEIGHTS)[0]
        if how == "away":
            self._away_until = now + _AWAY
        return how

    def _reset(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.Request, upstream: str) -> tuple[int, dict[str, str], bytes]:
        headers = {
            name: request.headers[name] for name in ("Authorization", "Range") if name in request.headers
        }
        async with self._session.request(
            request.method, upstream + request.path_qs, headers=headers, data=await request.read()
        ) as response:
            body = await response.read()
            passed = {
                name: response.headers[name]
                for name in ("Content-Type", "Content-Range", "Content-Disposition")
                if name in response.headers
            }
            if request.path.startswith("/api/jobs/") and response.status == 200:
                body = self._redirected(body)
            return response.status, passed, body

    def _redirected(self, body: bytes) -> bytes:
        """The job, with our address for its node's."""
        job = json.loads(body)
        if job.get("driver_agent_http_address"):
            self._node = job["driver_agent_http_address"]
            job["driver_agent_http_address"] = f"http://127.0.0.1:{self._ports[1]}"
        return json.dumps(job).encode()
