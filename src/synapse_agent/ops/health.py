"""Health of the agent and of Ray."""

from __future__ import annotations

from aiohttp import web

from .. import __version__
from ..context import context_of
from ..errors import ApiError

__all__ = ["health_check"]


async def health_check(request: web.Request) -> web.Response:
    """Answer 200 as long as the agent works; the body has the state of Ray."""
    body: dict[str, object] = {"status": "ok", "version": __version__, "ray_available": True}
    try:
        body["ray_version"] = (await context_of(request).ray.version()).get("ray_version")
    except ApiError as error:
        body |= {"status": "degraded", "ray_available": False, "message": error.detail}
    return web.json_response(body)
