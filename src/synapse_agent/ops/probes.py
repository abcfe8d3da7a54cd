"""Probes of an orchestrator. They need no token and say nothing about the agent but yes or no."""

from __future__ import annotations

from aiohttp import web

from ..context import context_of

__all__ = ["livez", "readyz"]


async def livez(request: web.Request) -> web.Response:
    """Answer 200 as long as the agent works."""
    del request
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """Answer 200 as long as the agent takes requests; 503 once it is about to stop.

    Ray's state is not part of it: an agent without Ray still answers, and `health/` says so.
    """
    if context_of(request).draining:
        return web.Response(status=503, text="stopping\n")
    return web.Response(text="ok\n")
