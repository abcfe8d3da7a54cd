"""`synapse health`."""

from __future__ import annotations

import click

from .._command import Command
from .._exit import FAILED, ExitStatus
from .._settings import Settings

__all__ = ["app"]


@click.command("health", cls=Command, example="synapse health\nsynapse health --json | jq -e .ray_available")
@click.pass_obj
def app(settings: Settings) -> None:
    """Check the agent's health.

    Exit codes: 0 the agent serves and reaches its Ray; 1 it doesn't.
    """
    from .._output import show

    with settings.open_client() as client:
        answer = client.health_check()
    show(answer, as_json=settings.json)
    if answer.ray_available is False:
        raise ExitStatus(FAILED)
