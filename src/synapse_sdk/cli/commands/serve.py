"""`synapse serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synapse_sdk.cli import _complete
from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from synapse_sdk.cli._output import Column
    from synapse_sdk.clients.agent.models import ServeApplication

__all__ = ["app"]

app: typer.Typer = group("Ray Serve applications.")

_Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The application's name.", autocompletion=_complete.serve_names),
]


@command(app, "list", example="synapse serve list\nsynapse serve list --json | jq -r '.[].name'")
def list_(context: typer.Context) -> None:
    """List the applications."""
    from synapse_sdk.cli._output import show_table

    with open_client(context) as client:
        applications = client.list_serve_applications()
    show_table(
        _columns(), applications, as_json=settings_of(context).json, empty="there are no serve applications"
    )


@command(app, "get", example="synapse serve get detector@1.0.0")
def get(context: typer.Context, name: _Name) -> None:
    """Show an application and its deployments."""
    from synapse_sdk.cli._format import stamp
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        application = client.get_serve_application(name)
    facts: dict[str, object] = dict(application)
    facts["last_deployed_time_s"] = stamp((application.last_deployed_time_s or 0) * 1000)
    facts["deployments"] = _deployments(application)
    show(application, as_json=settings_of(context).json, facts=facts)


@command(app, "delete", example="synapse serve delete detector@1.0.0 --yes")
def delete(
    context: typer.Context,
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete an application."""
    from synapse_sdk.cli._confirm import confirm
    from synapse_sdk.cli._terminal import note

    confirm(f"Delete the serve application {name}?", yes=yes)
    with open_client(context) as client:
        client.delete_serve_application(name)
    note(f"serve application {name} is deleted")


def _columns() -> list[Column[ServeApplication]]:
    from synapse_sdk.cli._format import age
    from synapse_sdk.cli._output import Column

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
