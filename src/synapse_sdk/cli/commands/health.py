"""`synapse health`."""

from __future__ import annotations

import typer

from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._exit import FAILED
from synapse_sdk.cli._settings import open_client, settings_of

__all__ = ["app"]

app: typer.Typer = group("Check the agent's health.")


@command(app, "health", example="synapse health\nsynapse health --json | jq -e .ray_available")
def health(context: typer.Context) -> None:
    """Check the agent's health.

    Exit codes: 0 the agent serves and reaches its Ray; 1 it doesn't.
    """
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        answer = client.health_check()
    show(answer, as_json=settings_of(context).json)
    if answer.ray_available is False:
        raise typer.Exit(FAILED)
