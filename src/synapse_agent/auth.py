"""A request proves that it knows the agent's token."""

from __future__ import annotations

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .errors import ApiError
from .http.document import get_document_page

__all__ = ["auth_middleware"]


def auth_middleware(token: str) -> Middleware:
    """Refuse what does not carry `Authorization: <token>`, the bare token without a scheme.

    It guards every path, unknown ones, streams and `health/` included, but the page of the API.
    """
    expected = token.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.handler is get_document_page:
            return await handler(request)
        given = request.headers.get("Authorization")
        if given is None:
            return ApiError(
                401, "no credentials: send the agent's token as the Authorization header"
            ).response()
        # surrogateescape: headers are decoded that way, and any bytes must compare without an error.
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected):
            return ApiError(401, "the token is not this agent's").response()
        return await handler(request)

    return check
