"""`synapse profiles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import _complete
from .._command import LOCAL_OPTIONS, Argument, Group
from .._settings import Settings

if TYPE_CHECKING:
    from .._profiles import Profile, Profiles

__all__ = ["app"]

_name = click.argument(
    "name",
    cls=Argument,
    metavar="NAME",
    help="The profile.",
    shell_complete=_complete.profile_names,
)


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def app(context: click.Context) -> None:
    """The agents that are kept as profiles."""
    if context.invoked_subcommand is None:
        list_.invoke(context)


@app.command("list", shared=LOCAL_OPTIONS, example="synapse profiles list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the profiles."""
    from .._output import Column, show_json, show_table
    from .._profiles import Profiles

    kept = Profiles.load()
    rows = [_facts(kept, profile) for profile in kept.profiles.values()]
    if settings.json:
        show_json(rows)
        return
    columns: list[Column[dict[str, Any]]] = [
        Column("", lambda row: "*" if row["default"] else ""),
        Column("NAME", lambda row: row["name"]),
        Column("URL", lambda row: row["url"]),
        Column("TOKEN IN", lambda row: row["token_in"]),
    ]
    show_table(columns, rows, empty="there are no profiles; synapse login makes one")


@app.command("use", shared=LOCAL_OPTIONS, example="synapse profiles use lab")
@_name
def use(name: str) -> None:
    """Make a profile the default."""
    from dataclasses import replace

    from .._profiles import Profiles
    from .._terminal import note

    kept = Profiles.load()
    kept.get(name)
    replace(kept, default=name).save()
    note(f"profile {name} is the default now")


@app.command("show", shared=LOCAL_OPTIONS, example="synapse profiles show lab")
@_name
@click.pass_obj
def show(settings: Settings, name: str) -> None:
    """Show a profile; not its token."""
    from .._output import details, show_json
    from .._profiles import Profiles

    kept = Profiles.load()
    facts = _facts(kept, kept.get(name))
    if settings.json:
        show_json(facts)
    else:
        details(facts)


@app.command("delete", shared=LOCAL_OPTIONS, example="synapse profiles delete lab")
@_name
def delete(name: str) -> None:
    """Delete a profile and its token."""
    from .._keyring import forget_token
    from .._profiles import Profiles
    from .._terminal import note

    kept = Profiles.load()
    rest = kept.without(name)
    if kept.get(name).keyring:
        forget_token(name)
    rest.save()
    note(f"profile {name} is deleted")


def _facts(kept: Profiles, profile: Profile) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": profile.name,
        "url": profile.url,
        "default": kept.default == profile.name,
        "token_in": "keyring" if profile.keyring else "file" if profile.token else None,
        "file": str(kept.path),
    }
    if profile.ca_file:
        facts["ca_file"] = profile.ca_file
    if profile.insecure:
        facts["insecure"] = True
    return facts
