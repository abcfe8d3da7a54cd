"""`synapse system`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._exit import FAILED
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from synapse_sdk.clients.agent import AgentClient
    from synapse_sdk.clients.agent.models import SystemOperationResult

__all__ = ["app"]

app: typer.Typer = group("The agent's own deployment.")

_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
_Wait = Annotated[
    float | None,
    typer.Option(
        "--wait", min=0.1, metavar="SECONDS", help="Return when the agent serves again, or after so long."
    ),
]


@command(app, "status", example="synapse system status")
def status(context: typer.Context) -> None:
    """Show whether the agent is being updated or restarted."""
    from synapse_sdk.cli._format import stamp
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        answer = client.get_system_status()
    facts: dict[str, object] = dict(answer)
    facts["started_at"] = stamp(facts.get("started_at"))
    show(answer, as_json=settings_of(context).json, facts=facts)


@command(app, "config", example="synapse system config")
def config(context: typer.Context) -> None:
    """Show how the agent is deployed by Docker Compose."""
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        answer = client.get_compose_config()
    show(answer, as_json=settings_of(context).json)


@command(
    app, "update", example="synapse system update --api-tag 2026.2.0 --wait 300\nsynapse system update --yes"
)
def update(
    context: typer.Context,
    api_tag: Annotated[
        str | None, typer.Option("--api-tag", metavar="TAG", help="The agent's image tag.")
    ] = None,
    worker_tag: Annotated[
        str | None, typer.Option("--worker-tag", metavar="TAG", help="The workers' image tag.")
    ] = None,
    wait: _Wait = None,
    yes: _Yes = False,
) -> None:
    """Update the agent."""
    from synapse_sdk.cli._confirm import confirm

    confirm("Update the agent? It can't be reached for a while.", yes=yes)
    with open_client(context) as client:
        result = client.update_system(api_tag=api_tag, worker_tag=worker_tag)
        _finish(context, client, result, wait)


@command(app, "restart", example="synapse system restart --yes --wait 120")
def restart(context: typer.Context, wait: _Wait = None, yes: _Yes = False) -> None:
    """Restart the agent."""
    from synapse_sdk.cli._confirm import confirm

    confirm("Restart the agent? It can't be reached for a while.", yes=yes)
    with open_client(context) as client:
        result = client.restart_system()
        _finish(context, client, result, wait)


def _finish(
    context: typer.Context, client: AgentClient, result: SystemOperationResult, wait: float | None
) -> None:
    from synapse_sdk.cli._output import show

    if wait is not None and result.status != "error":
        from synapse_sdk.cli._terminal import note
        from synapse_sdk.cli._wait import spinner

        with spinner("waiting for the agent"):
            client.wait_for_system_ready(timeout=wait)
        note("the agent serves again")
    show(result, as_json=settings_of(context).json)
    if result.status == "error":
        raise typer.Exit(FAILED)
