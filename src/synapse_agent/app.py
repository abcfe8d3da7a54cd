"""The web application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from .auth import FailedTries, auth_middleware
from .cluster.resources import SNAPSHOTS, Snapshots
from .containers.handlers import CONTAINERS
from .containers.manager import Containers
from .context import AGENT_CONTEXT, AgentContext
from .http.access import ON_ANSWER
from .http.address import TRUSTED_PROXIES, TrustedProxies
from .http.body import BODY_BUDGET, BodyBudget
from .http.current import add_headers
from .http.limits import REFUSALS, TAIL_SLOTS, Limits, TailSlots
from .http.middleware import error_middleware
from .http.route import add_routes
from .logs.handlers import LOGS
from .logs.registry import Logs
from .ops.metrics import METRICS, open_metrics
from .routes import DOCUMENT_ROUTES, METRICS_ROUTE, PROBE_ROUTES, ROUTES, STREAM_ROUTES
from .runs.state import RUN_STATE, RunState
from .tokens import Tokens

__all__ = ["make_app"]


def make_app(
    context: AgentContext,
    logs: Logs,
    containers: Containers | None = None,
    limits: Limits | None = None,
    proxies: TrustedProxies | None = None,
    tokens: Tokens | None = None,
) -> web.Application:
    """Return the application; it closes the cluster's client, containers and database at its end."""
    limits = limits or Limits()
    tries = FailedTries()
    app = web.Application(
        middlewares=[error_middleware, auth_middleware(tokens or Tokens(context.token), tries)]
    )
    app[AGENT_CONTEXT] = context
    app[BODY_BUDGET] = bodies = BodyBudget(limits.body_memory, limits.body_timeout)
    app[TRUSTED_PROXIES] = proxies or TrustedProxies()
    app[TAIL_SLOTS] = tails = TailSlots(limits)
    app[REFUSALS] = {
        "bodies": lambda: bodies.refusals,
        "tails": lambda: tails.refusals,
        "tokens": lambda: tries.count,
    }
    app[METRICS] = metrics = open_metrics(app)
    app[ON_ANSWER] = None if metrics is None else metrics.observe
    app[LOGS] = logs
    app[CONTAINERS] = containers
    app[RUN_STATE] = RunState()
    app[SNAPSHOTS] = Snapshots(context)
    add_routes(app, *ROUTES, *STREAM_ROUTES, *DOCUMENT_ROUTES, *PROBE_ROUTES, METRICS_ROUTE)
    app.on_response_prepare.append(add_headers)

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
