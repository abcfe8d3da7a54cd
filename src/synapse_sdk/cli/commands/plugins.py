"""`synapse plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from synapse_sdk.cli import _complete
from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._exit import USAGE, CommandError
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from synapse_sdk.cli._output import Column
    from synapse_sdk.clients.agent import AgentClient
    from synapse_sdk.clients.agent.models import PluginRelease

__all__ = ["app"]

# Seconds: a cluster that is busy, or has started nothing yet, takes its time to take a job.
_START = 60.0

app: typer.Typer = group("Manage plugin releases and run their actions.")

_Lookup = Annotated[
    str,
    typer.Argument(metavar="PLUGIN@VERSION", help="The release.", autocompletion=_complete.lookups),
]
_Action = Annotated[
    str, typer.Argument(metavar="ACTION", help="The action, as the plugin's config names it.")
]
_Params = Annotated[
    str | None,
    typer.Option("--params", metavar="JSON", help="Its parameters, a JSON object; @FILE or - reads it."),
]
_Param = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", metavar="NAME=VALUE", help="One of them; a VALUE that is JSON is taken as such."
    ),
]
_Requirements = Annotated[
    list[str] | None,
    typer.Option("--requirement", "-r", metavar="PACKAGE", help="A Python package to install for the run."),
]
_JobId = Annotated[str | None, typer.Option("--job-id", metavar="ID", help="The id that the job shall have.")]
_Language = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="The language for messages, such as en.")
]
_Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Print the job's id and leave; the job runs on.")
]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say less on stderr.")]


@command(app, "list", example="synapse plugins list\nsynapse plugins list --json | jq -r '.[].plugin'")
def list_(context: typer.Context) -> None:
    """List the plugin releases."""
    from synapse_sdk.cli._output import show_table

    with open_client(context) as client:
        releases = list(client.iter_plugin_releases())
    show_table(_columns(), releases, as_json=settings_of(context).json, empty="there are no plugin releases")


@command(app, "get", example="synapse plugins get detector@1.0.0")
def get(context: typer.Context, lookup: _Lookup) -> None:
    """Show a plugin release."""
    from synapse_sdk.cli._format import stamp
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        release = client.get_plugin_release(lookup)
    facts: dict[str, object] = dict(release)
    facts["created"] = stamp(facts.get("created"))
    show(release, as_json=settings_of(context).json, facts=facts)


@command(app, "create", example="synapse plugins create detector@1.0.0")
def create(context: typer.Context, lookup: _Lookup) -> None:
    """Make the agent take a plugin release from its source."""
    from synapse_sdk.cli._output import show_json
    from synapse_sdk.cli._terminal import note

    plugin, _, version = lookup.rpartition("@")
    if not plugin or not version:
        raise CommandError(f"{lookup!r} is no PLUGIN@VERSION", hint="such as detector@1.0.0", code=USAGE)
    with open_client(context) as client:
        release = client.create_plugin_release(plugin, version)
    if settings_of(context).json:
        show_json(release.to_dict())
    else:
        actions = ", ".join((release.config or {}).get("actions") or {})
        note(f"{lookup} is there" + (f"; its actions: {actions}" if actions else ""))


@command(app, "delete", example="synapse plugins delete detector@1.0.0 --yes")
def delete(
    context: typer.Context,
    lookup: _Lookup,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete a plugin release."""
    from synapse_sdk.cli._confirm import confirm
    from synapse_sdk.cli._terminal import note

    confirm(f"Delete the plugin release {lookup}?", yes=yes)
    with open_client(context) as client:
        client.delete_plugin_release(lookup)
    note(f"plugin release {lookup} is deleted")


@command(
    app,
    "run",
    example="""
synapse plugins run detector@1.0.0 train -p epochs=3 -p name=first
synapse plugins run detector@1.0.0 train --params @params.json --detach
job=$(synapse plugins run detector@1.0.0 train -d -q)
""",
)
def run(
    context: typer.Context,
    lookup: _Lookup,
    action: _Action,
    params: _Params = None,
    param: _Param = None,
    requirements: _Requirements = None,
    job_id: _JobId = None,
    language: _Language = None,
    detach: _Detach = False,
    quiet: _Quiet = False,
) -> None:
    """Run an action of a plugin release, and follow its job's log to the end.

    The answer of a serve action is printed as JSON. With --json, a job's run is one object a line: the job,
    each line of its log, and the job at its end.

    \b
    Exit codes:
      0    the job succeeded
      1    it failed or was stopped, or could not be started
      2    usage: an option or a parameter is refused
      3    the log is incomplete, or the end of the job was not seen
      130  interrupted; the job runs on
    """
    values = _values(params, param)
    with open_client(context, _START) as client:
        answer: Any = client.run_plugin_release(
            lookup, action, values, requirements=requirements or None, job_id=job_id, language=language
        )
        _finish(context, client, answer, detach=detach, quiet=quiet)


@command(
    app,
    "run-debug",
    example="""
synapse plugins run-debug train --path ./my-plugin -p epochs=1
synapse plugins run-debug hello --module hello.py
""",
)
def run_debug(
    context: typer.Context,
    action: _Action,
    params: _Params = None,
    param: _Param = None,
    path: Annotated[
        str | None, typer.Option("--path", metavar="DIR", help="The plugin's folder on the agent's machine.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="JSON", help="The plugin's config, JSON; @FILE or - reads it."),
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option("--module", "-m", metavar="[NAME=]FILE", help="A Python file to send along."),
    ] = None,
    requirements: _Requirements = None,
    job_id: _JobId = None,
    language: _Language = None,
    detach: _Detach = False,
    quiet: _Quiet = False,
) -> None:
    """Run an action of a plugin that is no release yet: from a folder, or from files that are sent along.

    Otherwise as `synapse plugins run`.
    """
    from synapse_sdk.cli._params import json_object

    values = _values(params, param)
    configuration = None if config is None else json_object(config, "--config")
    modules = _modules(module or [])
    with open_client(context, _START) as client:
        answer: Any = client.run_debug_plugin_release(
            action,
            values,
            plugin_path=path,
            config=configuration,
            modules=modules,
            requirements=requirements or None,
            job_id=job_id,
            language=language,
        )
        _finish(context, client, answer, detach=detach, quiet=quiet)


def _finish(context: typer.Context, client: AgentClient, answer: Any, *, detach: bool, quiet: bool) -> None:
    from synapse_sdk.cli._run import RunFollower, is_job, show_answer

    settings = settings_of(context)
    if is_job(answer):
        RunFollower(client, settings, detach, quiet, settings.words()).follow(answer)
    else:
        show_answer(answer)


def _values(params: str | None, param: list[str] | None) -> dict[str, Any] | None:
    from synapse_sdk.cli._params import assignments, json_object

    if params is None and not param:
        return None
    return (json_object(params, "--params") if params else {}) | assignments(param or [], "--param")


def _modules(words: list[str]) -> dict[str, str] | None:
    from pathlib import Path

    from synapse_sdk.cli._params import read_text

    modules: dict[str, str] = {}
    for word in words:
        name, equals, file = word.partition("=")
        if not equals:
            name, file = Path(word).stem, word
        modules[name] = read_text(file, "--module")
    return modules or None


def _columns() -> list[Column[PluginRelease]]:
    from synapse_sdk.cli._format import age
    from synapse_sdk.cli._output import Column

    return [
        Column("RELEASE", lambda release: f"{release.plugin}@{release.version}"),
        Column(
            "CREATED", lambda release: f"{age(release.created)} ago" if release.created else "", right=True
        ),
        Column("ACTIONS", lambda release: ", ".join((release.config or {}).get("actions") or {}), cut=True),
    ]
