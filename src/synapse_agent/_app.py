"""The web application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from synapse_agent._auth import auth_middleware
from synapse_agent._errors import error_middleware
from synapse_agent._gateway import GATEWAY, Gateway
from synapse_agent._resources import SNAPSHOTS, Snapshots
from synapse_agent._routes import add_routes

__all__ = ["make_app"]

# Sources of modules and parameters come in bodies; nothing else is large.
_MAX_BODY = 32 * 1024 * 1024


def make_app(gateway: Gateway) -> web.Application:
    app = web.Application(
        middlewares=[error_middleware, auth_middleware(gateway.token)], client_max_size=_MAX_BODY
    )
    app[GATEWAY] = gateway
    app[SNAPSHOTS] = Snapshots(gateway)
    add_routes(app)

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        yield
        if gateway.containers is not None:
            await gateway.containers.close()
        await gateway.ray.close()
        await gateway.index.close()

    async def stop_streams(_: web.Application) -> None:
        gateway.stopping.set()

    app.cleanup_ctx.append(lifetime)
    app.on_shutdown.append(stop_streams)
    return app
