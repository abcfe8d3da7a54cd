"""Authentication: every request sends the agent's token."""

from __future__ import annotations

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .errors import ApiError
from .http.current import current_request
from .http.route import route_of

__all__ = ["auth_middleware"]


def auth_middleware(token: str) -> Middleware:
    """Refuse requests without `Authorization: <token>`, the bare token without a scheme.

    Every path is guarded, unknown paths and streams included, except the routes that are public.
    """
    expected = token.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = route_of(request)
        if route is not None and route.public:
            return await handler(request)
        given = request.headers.get("Authorization")
        if given is None:
            return ApiError(
                401, "no credentials: send the agent's token as the Authorization header"
            ).response()
        # surrogateescape: headers are decoded that way, and any bytes must compare without an error.
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected):
            return ApiError(401, "the token is not this agent's").response()
        if info := current_request():
            info.user = "agent"
        return await handler(request)

    return check
