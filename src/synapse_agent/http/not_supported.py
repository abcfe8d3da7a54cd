"""Operations of the API that this agent does not have."""

from __future__ import annotations

from aiohttp import web

from ..errors import ApiError

__all__ = ["not_supported"]


async def not_supported(request: web.Request) -> web.Response:
    what = request.path.strip("/").split("/", 1)[0].replace("_", " ")
    raise ApiError.typed(
        501, f"this agent runs jobs on Ray; it has no support for {what} here", "not_supported"
    )
