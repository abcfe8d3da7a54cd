"""The web application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from .auth import auth_middleware
from .cluster.resources import SNAPSHOTS, Snapshots
from .context import AGENT_CONTEXT, AgentContext
from .errors import error_middleware
from .routes import add_routes

__all__ = ["make_app"]

# Sources of modules and parameters come in bodies; nothing else is large.
_MAX_BODY = 32 * 1024 * 1024


def make_app(context: AgentContext) -> web.Application:
    app = web.Application(
        middlewares=[error_middleware, auth_middleware(context.token)], client_max_size=_MAX_BODY
    )
    app[AGENT_CONTEXT] = context
    app[SNAPSHOTS] = Snapshots(context)
    add_routes(app)

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        yield
        if context.containers is not None:
            await context.containers.close()
        await context.ray.close()
        await context.database.close()

    async def stop_streams(_: web.Application) -> None:
        context.stopping.set()

    app.cleanup_ctx.append(lifetime)
    app.on_shutdown.append(stop_streams)
    return app
