"""`synapse plugins`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .. import _complete
from .._command import Argument, Group
from .._exit import USAGE, CommandError
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent import AgentClient
    from ...clients.agent.models import PluginRelease
    from .._output import Column

__all__ = ["app"]

# Seconds. A cluster that is busy, or has started nothing yet, is slow to accept a job.
_START = 60.0

_lookup = click.argument(
    "lookup",
    cls=Argument,
    metavar="PLUGIN@VERSION",
    help="The release.",
    shell_complete=_complete.lookups,
)
_action = click.argument(
    "action", cls=Argument, metavar="ACTION", help="The action, as the plugin's config names it."
)
_params = click.option("--params", metavar="JSON", help="Its parameters, a JSON object; @FILE or - reads it.")
_param = click.option(
    "--param",
    "-p",
    multiple=True,
    metavar="NAME=VALUE",
    help="One of them; a VALUE that is JSON is taken as such.",
)
_requirement = click.option(
    "--requirement",
    "-r",
    multiple=True,
    metavar="PACKAGE",
    help="A Python package to install for the run.",
)
_job_id = click.option("--job-id", metavar="ID", help="The id that the job shall have.")
_language = click.option("--language", metavar="CODE", help="The language for messages, such as en.")
_detach = click.option("--detach", "-d", is_flag=True, help="Print the job's id and leave; the job runs on.")
_quiet = click.option("--quiet", "-q", is_flag=True, help="Say less on stderr.")


@click.group(cls=Group)
def app() -> None:
    """Manage plugin releases and run their actions."""


@app.command("list", example="synapse plugins list\nsynapse plugins list --json | jq -r '.[].plugin'")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the plugin releases."""
    from .._output import show_table

    with settings.open_client() as client:
        releases = list(client.iter_plugin_releases())
    show_table(_columns(), releases, as_json=settings.json, empty="there are no plugin releases")


@app.command("get", example="synapse plugins get detector@1.0.0")
@_lookup
@click.pass_obj
def get(settings: Settings, lookup: str) -> None:
    """Show a plugin release."""
    from .._format import stamp
    from .._output import show

    with settings.open_client() as client:
        release = client.get_plugin_release(lookup)
    facts: dict[str, object] = dict(release)
    facts["created"] = stamp(facts.get("created"))
    show(release, as_json=settings.json, facts=facts)


@app.command("create", example="synapse plugins create detector@1.0.0")
@_lookup
@click.pass_obj
def create(settings: Settings, lookup: str) -> None:
    """Make the agent take a plugin release from its source."""
    from .._output import show_json
    from .._terminal import note

    plugin, _, version = lookup.rpartition("@")
    if not plugin or not version:
        raise CommandError(f"{lookup!r} is not PLUGIN@VERSION", hint="such as detector@1.0.0", code=USAGE)
    with settings.open_client() as client:
        release = client.create_plugin_release(plugin, version)
    if settings.json:
        show_json(release.to_dict())
    else:
        actions = ", ".join((release.config or {}).get("actions") or {})
        note(f"{lookup} is there" + (f"; its actions: {actions}" if actions else ""))


@app.command("delete", example="synapse plugins delete detector@1.0.0 --yes")
@_lookup
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@click.pass_obj
def delete(settings: Settings, lookup: str, yes: bool) -> None:
    """Delete a plugin release."""
    from .._confirm import confirm
    from .._terminal import note

    confirm(f"Delete the plugin release {lookup}?", yes=yes)
    with settings.open_client() as client:
        client.delete_plugin_release(lookup)
    note(f"plugin release {lookup} is deleted")


@app.command(
    "run",
    example="""
synapse plugins run detector@1.0.0 train -p epochs=3 -p name=first
synapse plugins run detector@1.0.0 train --params @params.json --detach
job=$(synapse plugins run detector@1.0.0 train -d -q)
""",
)
@_lookup
@_action
@_params
@_param
@_requirement
@_job_id
@_language
@_detach
@_quiet
@click.pass_obj
def run(
    settings: Settings,
    lookup: str,
    action: str,
    params: str | None,
    param: tuple[str, ...],
    requirement: tuple[str, ...],
    job_id: str | None,
    language: str | None,
    detach: bool,
    quiet: bool,
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
    with settings.open_client(_START) as client:
        answer: Any = client.run_plugin_release(
            lookup, action, values, requirements=list(requirement) or None, job_id=job_id, language=language
        )
        _finish(settings, client, answer, detach=detach, quiet=quiet)


@app.command(
    "run-debug",
    example="""
synapse plugins run-debug train --path ./my-plugin -p epochs=1
synapse plugins run-debug hello --module hello.py
""",
)
@_action
@_params
@_param
@click.option("--path", metavar="DIR", help="The plugin's folder on the agent's machine, if allowed there.")
@click.option("--config", metavar="JSON", help="The plugin's config, JSON; @FILE or - reads it.")
@click.option("--module", "-m", multiple=True, metavar="[NAME=]FILE", help="A Python file to send along.")
@_requirement
@_job_id
@_language
@_detach
@_quiet
@click.pass_obj
def run_debug(
    settings: Settings,
    action: str,
    params: str | None,
    param: tuple[str, ...],
    path: str | None,
    config: str | None,
    module: tuple[str, ...],
    requirement: tuple[str, ...],
    job_id: str | None,
    language: str | None,
    detach: bool,
    quiet: bool,
) -> None:
    """Run an action of a plugin that is no release yet: from a folder, or from files that are sent along.

    Otherwise as `synapse plugins run`.
    """
    from .._params import json_object

    values = _values(params, param)
    configuration = None if config is None else json_object(config, "--config")
    modules = _modules(module)
    with settings.open_client(_START) as client:
        answer: Any = client.run_debug_plugin_release(
            action,
            values,
            plugin_path=path,
            config=configuration,
            modules=modules,
            requirements=list(requirement) or None,
            job_id=job_id,
            language=language,
        )
        _finish(settings, client, answer, detach=detach, quiet=quiet)


def _finish(settings: Settings, client: AgentClient, answer: Any, *, detach: bool, quiet: bool) -> None:
    from .._run import RunFollower, is_job, show_answer

    if is_job(answer):
        RunFollower(client, settings, detach, quiet, settings.words()).follow(answer)
    else:
        show_answer(answer)


def _values(params: str | None, param: Sequence[str]) -> dict[str, Any] | None:
    from .._params import assignments, json_object

    if params is None and not param:
        return None
    return (json_object(params, "--params") if params else {}) | assignments(param, "--param")


def _modules(words: Sequence[str]) -> dict[str, str] | None:
    from pathlib import Path

    from .._params import read_text

    modules: dict[str, str] = {}
    for word in words:
        name, equals, file = word.partition("=")
        if not equals:
            name, file = Path(word).stem, word
        modules[name] = read_text(file, "--module")
    return modules or None


def _columns() -> list[Column[PluginRelease]]:
    from .._format import age
    from .._output import Column

    return [
        Column("RELEASE", lambda release: f"{release.plugin}@{release.version}"),
        Column(
            "CREATED", lambda release: f"{age(release.created)} ago" if release.created else "", right=True
        ),
        Column("ACTIONS", lambda release: ", ".join((release.config or {}).get("actions") or {}), cut=True),
    ]
