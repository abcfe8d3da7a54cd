"""What the shell offers at a press of Tab, as the agent tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from synapse_sdk.clients.agent import AgentClient

__all__ = ["job_ids", "lookups", "node_ids", "profile_names", "serve_names"]

# Seconds somebody waits for who pressed a key.
_PATIENCE = 2.0


def _asked(context: typer.Context, start: str, ask: Callable[[AgentClient], Iterable[Any]]) -> list[str]:
    from synapse_sdk.cli._settings import settings_of

    try:
        with settings_of(context).target().client(_PATIENCE) as client:
            return [str(value) for value in ask(client) if value and str(value).startswith(start)]
    except Exception:  # noqa: BLE001 - a shell that completes has no place for errors
        return []


def job_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the ids of jobs."""
    return _asked(ctx, incomplete, lambda client: [job.submission_id for job in client.list_jobs()])


def node_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the ids of nodes."""
    return _asked(ctx, incomplete, lambda client: [node.node_id for node in client.list_nodes()])


def serve_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the names of serve applications."""
    return _asked(ctx, incomplete, lambda client: [app.name for app in client.list_serve_applications()])


def lookups(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the lookups of plugin releases."""
    return _asked(
        ctx,
        incomplete,
        lambda client: [
            f"{release.plugin}@{release.version}" for release in client.list_plugin_releases().results
        ],
    )


def profile_names(incomplete: str) -> list[str]:
    """Offer the names of profiles."""
    from synapse_sdk.cli._profiles import Profiles

    try:
        return [name for name in Profiles.load().profiles if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001
        return []
