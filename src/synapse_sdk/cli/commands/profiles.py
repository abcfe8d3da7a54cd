"""`synapse profiles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from synapse_sdk.cli import _complete
from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._settings import settings_of

if TYPE_CHECKING:
    from synapse_sdk.cli._profiles import Profile, Profiles

__all__ = ["app"]

app: typer.Typer = group("The agents that are kept as profiles.")
app.info.invoke_without_command = True
app.info.no_args_is_help = False

_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The profile.", autocompletion=_complete.profile_names)
]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def profiles(context: typer.Context) -> None:
    """List the profiles; use, show or delete one."""
    if context.invoked_subcommand is None:
        _list(context)


@command(app, "list", agent=False, example="synapse profiles list")
def list_(context: typer.Context) -> None:
    """List the profiles."""
    _list(context)


@command(app, "use", agent=False, example="synapse profiles use lab")
def use(name: _Name) -> None:
    """Make a profile the default."""
    from dataclasses import replace

    from synapse_sdk.cli._profiles import Profiles
    from synapse_sdk.cli._terminal import note

    kept = Profiles.load()
    kept.get(name)
    replace(kept, default=name).save()
    note(f"profile {name} is the default now")


@command(app, "show", agent=False, example="synapse profiles show lab")
def show(context: typer.Context, name: _Name) -> None:
    """Show a profile; not its token."""
    from synapse_sdk.cli._output import details, show_json
    from synapse_sdk.cli._profiles import Profiles

    kept = Profiles.load()
    facts = _facts(kept, kept.get(name))
    if settings_of(context).json:
        show_json(facts)
    else:
        details(facts)


@command(app, "delete", agent=False, example="synapse profiles delete lab")
def delete(name: _Name) -> None:
    """Delete a profile and its token."""
    from synapse_sdk.cli._keyring import forget_token
    from synapse_sdk.cli._profiles import Profiles
    from synapse_sdk.cli._terminal import note

    kept = Profiles.load()
    rest = kept.without(name)
    if kept.get(name).keyring:
        forget_token(name)
    rest.save()
    note(f"profile {name} is deleted")


def _list(context: typer.Context) -> None:
    from synapse_sdk.cli._output import Column, show_json, show_table
    from synapse_sdk.cli._profiles import Profiles

    kept = Profiles.load()
    rows = [_facts(kept, profile) for profile in kept.profiles.values()]
    if settings_of(context).json:
        show_json(rows)
        return
    columns: list[Column[dict[str, Any]]] = [
        Column("", lambda row: "*" if row["default"] else ""),
        Column("NAME", lambda row: row["name"]),
        Column("URL", lambda row: row["url"]),
        Column("TOKEN IN", lambda row: row["token_in"]),
    ]
    show_table(columns, rows, empty="there are no profiles; synapse login makes one")


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
