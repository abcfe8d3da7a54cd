"""Health of the agent and of Ray."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .. import __version__
from ..context import context_of
from ..errors import ApiError

__all__ = ["health_check"]

# Seconds for Ray's answer, so that the agent's own takes less than one.
_PATIENCE = 0.8


async def health_check(request: web.Request) -> web.Response:
    """Answer 200 as long as the agent works; the body has the state of Ray."""
    body: dict[str, object] = {"status": "ok", "version": __version__, "ray_available": True}
    ray = context_of(request).ray
    try:
        async with asyncio.timeout(_PATIENCE):
            body["ray_version"] = (await ray.version()).get("ray_version")
    except ApiError as error:
        body |= {"status": "degraded", "ray_available": False, "message": error.detail}
    except TimeoutError:
        message = f"Ray at {ray.address} did not answer within {_PATIENCE} s"
        body |= {"status": "degraded", "ray_available": False, "message": message}
    return web.json_response(body)
