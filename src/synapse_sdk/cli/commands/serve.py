"""`synapse serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .. import _complete
from .._command import Argument, Group
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent.models import ServeApplication
    from .._output import Column

__all__ = ["app"]

_name = click.argument(
    "name",
    cls=Argument,
    metavar="NAME",
    help="The application's name.",
    shell_complete=_complete.serve_names,
)


@click.group(cls=Group)
def app() -> None:
    """Ray Serve applications."""


@app.command("list", example="synapse serve list\nsynapse serve list --json | jq -r '.[].name'")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the applications."""
    from .._output import show_table

    with settings.open_client() as client:
        applications = client.list_serve_applications()
    show_table(_columns(), applications, as_json=settings.json, empty="there are no serve applications")


@app.command("get", example="synapse serve get detector@1.0.0")
@_name
@click.pass_obj
def get(settings: Settings, name: str) -> None:
    """Show an application and its deployments."""
    from .._format import stamp
    from .._output import show

    with settings.open_client() as client:
        application = client.get_serve_application(name)
    facts: dict[str, object] = dict(application)
    facts["last_deployed_time_s"] = stamp((application.last_deployed_time_s or 0) * 1000)
    facts["deployments"] = _deployments(application)
    show(application, as_json=settings.json, facts=facts)


@app.command("delete", example="synapse serve delete detector@1.0.0 --yes")
@_name
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@click.pass_obj
def delete(settings: Settings, name: str, yes: bool) -> None:
    """Delete an application."""
    from .._confirm import confirm
    from .._terminal import note

    confirm(f"Delete the serve application {name}?", yes=yes)
    with settings.open_client() as client:
        client.delete_serve_application(name)
    note(f"serve application {name} is deleted")


def _columns() -> list[Column[ServeApplication]]:
    from .._format import age
    from .._output import Column

    return [
        Column("NAME", lambda app: app.name),
        Column("STATUS", lambda app: app.status),
        Column("ROUTE", lambda app: app.route_prefix),
        Column(
            "DEPLOYED",
            lambda app: f"{age(app.last_deployed_time_s * 1000)} ago" if app.last_deployed_time_s else "",
        ),
        Column("DEPLOYMENTS", _deployments, cut=True),
        Column("MESSAGE", lambda app: app.message, cut=True),
    ]


def _deployments(application: ServeApplication) -> str:
    return ", ".join(
        f"{name} {deployment.status} ({len(deployment.replicas or [])})"
        for name, deployment in (application.deployments or {}).items()
    )
