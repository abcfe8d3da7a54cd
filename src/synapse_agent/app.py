"""The web application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from .auth import auth_middleware
from .cluster.resources import SNAPSHOTS, Snapshots
from .containers.handlers import CONTAINERS
from .containers.manager import Containers
from .context import AGENT_CONTEXT, AgentContext
from .http.middleware import error_middleware
from .http.route import add_routes
from .logs.follow import Logs
from .logs.handlers import LOGS
from .routes import DOCUMENT_ROUTES, ROUTES, STREAM_ROUTES
from .runs.state import RUN_STATE, RunState

__all__ = ["make_app"]

# Sources of modules and parameters come in bodies; nothing else is large.
_MAX_BODY = 32 * 1024 * 1024


def make_app(context: AgentContext, logs: Logs, containers: Containers | None = None) -> web.Application:
    """Return the application; it closes the cluster's client, containers and database at its end."""
    app = web.Application(
        middlewares=[error_middleware, auth_middleware(context.token)], client_max_size=_MAX_BODY
    )
    app[AGENT_CONTEXT] = context
    app[LOGS] = logs
    app[CONTAINERS] = containers
    app[RUN_STATE] = runs = RunState()
    app[SNAPSHOTS] = Snapshots(context, runs)
    add_routes(app, *ROUTES, *STREAM_ROUTES, *DOCUMENT_ROUTES)

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        yield
        if containers is not None:
            await containers.close()
        await context.ray.close()
        await context.database.close()

    async def stop_streams(_: web.Application) -> None:
        context.stopping.set()

    app.cleanup_ctx.append(lifetime)
    app.on_shutdown.append(stop_streams)
    return app
