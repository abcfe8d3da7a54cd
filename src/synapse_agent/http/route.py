"""One route of the agent, and the route that a request matched."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

__all__ = ["Role", "Route", "add_routes", "route_of"]


class Role(IntEnum):
    """The rights of a token; each role includes those before it."""

    READ = 1
    RUN = 2
    ADMIN = 3


class Route(NamedTuple):
    method: str
    path: str
    operation: str
    handler: Handler
    # The least role that may use it. Everything above READ changes something, and is audited.
    role: Role = Role.READ
    # Whether it answers without a token.
    public: bool = False
    # Bytes of a JSON body, decompressed.
    max_body: int = 1 << 20


_ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("routes", dict)


def add_routes(app: web.Application, *routes: Route) -> None:
    """Serve the routes."""
    app[_ROUTES] = {app.router.add_route(route.method, route.path, route.handler): route for route in routes}


def route_of(request: web.Request) -> Route | None:
    """Return the route that a request matched; None for unknown paths and methods."""
    return request.app[_ROUTES].get(request.match_info.route)
