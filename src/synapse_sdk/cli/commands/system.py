"""`synapse system`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._command import Group
from .._exit import FAILED, ExitStatus
from .._params import Number
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent import AgentClient
    from ...clients.agent.models import SystemOperationResult

__all__ = ["app"]

_yes = click.option("--yes", "-y", is_flag=True, help="Don't ask.")
_wait = click.option(
    "--wait",
    type=Number(min=0.1),
    metavar="SECONDS",
    help="Return when the agent serves again, or after so long.",
)


@click.group(cls=Group)
def app() -> None:
    """The agent's own deployment."""


@app.command("status", example="synapse system status")
@click.pass_obj
def status(settings: Settings) -> None:
    """Show whether the agent is being updated or restarted."""
    from .._format import stamp
    from .._output import show

    with settings.open_client() as client:
        answer = client.get_system_status()
    facts: dict[str, object] = dict(answer)
    facts["started_at"] = stamp(facts.get("started_at"))
    show(answer, as_json=settings.json, facts=facts)


@app.command("config", example="synapse system config")
@click.pass_obj
def config(settings: Settings) -> None:
    """Show how the agent is deployed by Docker Compose."""
    from .._output import show

    with settings.open_client() as client:
        answer = client.get_compose_config()
    show(answer, as_json=settings.json)


@app.command(
    "update", example="synapse system update --api-tag 2026.2.0 --wait 300\nsynapse system update --yes"
)
@click.option("--api-tag", metavar="TAG", help="The agent's image tag.")
@click.option("--worker-tag", metavar="TAG", help="The workers' image tag.")
@_wait
@_yes
@click.pass_obj
def update(
    settings: Settings, api_tag: str | None, worker_tag: str | None, wait: float | None, yes: bool
) -> None:
    """Update the agent."""
    from .._confirm import confirm

    confirm("Update the agent? It can't be reached for a while.", yes=yes)
    with settings.open_client() as client:
        result = client.update_system(api_tag=api_tag, worker_tag=worker_tag)
        _finish(settings, client, result, wait)


@app.command("restart", example="synapse system restart --yes --wait 120")
@_wait
@_yes
@click.pass_obj
def restart(settings: Settings, wait: float | None, yes: bool) -> None:
    """Restart the agent."""
    from .._confirm import confirm

    confirm("Restart the agent? It can't be reached for a while.", yes=yes)
    with settings.open_client() as client:
        result = client.restart_system()
        _finish(settings, client, result, wait)


def _finish(
    settings: Settings, client: AgentClient, result: SystemOperationResult, wait: float | None
) -> None:
    from .._output import show

    if wait is not None and result.status != "error":
        from .._terminal import note
        from .._wait import spinner

        with spinner("waiting for the agent"):
            client.wait_for_system_ready(timeout=wait)
        note("the agent serves again")
    show(result, as_json=settings.json)
    if result.status == "error":
        raise ExitStatus(FAILED)
