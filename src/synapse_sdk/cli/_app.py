"""The root of the command, and what happens around every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import typer

from synapse_sdk.cli._command import LazyGroup
from synapse_sdk.cli._errors import explain, hush
from synapse_sdk.cli._settings import settings_of
from synapse_sdk.cli._terminal import tolerant

__all__ = ["run"]

_COMMANDS = "synapse_sdk.cli.commands."

_EPILOG = """\b
Which agent: --url and --token-file; or --profile; or SYNAPSE_AGENT_URL and
SYNAPSE_AGENT_TOKEN; or the default profile, which `synapse login` makes.

\b
Exit codes:
  0    done; the job succeeded
  1    the job failed or was stopped; or the command did not work
  2    usage: an option, an id or a value is refused
  3    the log is incomplete, or the end of the job was not seen
  130  interrupted
  141  the reader of a pipe went away

\b
Environment: SYNAPSE_AGENT_URL, SYNAPSE_AGENT_TOKEN, SYNAPSE_PROFILE,
SYNAPSE_PLUGIN_RUN_USER_TOKEN, SYNAPSE_PLUGIN_RUN_TENANT, XDG_CONFIG_HOME,
NO_COLOR.

\b
Examples:
  synapse login --url http://127.0.0.1:8000
  synapse jobs list --watch
  synapse jobs logs train-42 --follow --grep loss
  synapse plugins run detector@1.0.0 train -p epochs=3
  synapse completion zsh"""


class _Root(LazyGroup):
    lazy: ClassVar[Mapping[str, tuple[str, str]]] = {
        "jobs": (_COMMANDS + "jobs", "List, look at, follow, wait for and stop jobs."),
        "plugins": (_COMMANDS + "plugins", "Manage plugin releases and run their actions."),
        "nodes": (_COMMANDS + "nodes", "The cluster's nodes and GPUs."),
        "tasks": (_COMMANDS + "tasks", "Ray tasks."),
        "serve": (_COMMANDS + "serve", "Ray Serve applications."),
        "resources": (_COMMANDS + "resources", "What the cluster has and uses, and what it lets in."),
        "system": (_COMMANDS + "system", "The agent's own deployment."),
        "health": (_COMMANDS + "health", "Check the agent's health."),
        "login": (_COMMANDS + "login", "Keep an agent's address and token as a profile."),
        "profiles": (_COMMANDS + "profiles", "The agents that are kept as profiles."),
        "agent": (_COMMANDS + "agent", "Run an agent."),
        "completion": (_COMMANDS + "completion", "Print the completion script of a shell."),
    }

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn what it raises into a sentence and an exit code."""
        settings = settings_of(ctx)
        try:
            result = super().invoke(ctx)
            # Here, so that a reader who went away is noticed here.
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            if type(error).__module__.partition(".")[0] == "typer":
                raise  # usage errors and exits
            code = explain(error, settings)
            raise typer.Exit(code) from error
        return result


app = typer.Typer(
    cls=_Root,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)


def _show_version(value: bool) -> None:
    if value:
        from synapse_sdk import __version__

        sys.stdout.write(f"synapse {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction]
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Jobs, plugins and nodes of a Ray cluster, through its Synapse agent."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit status."""
    tolerant()
    if "_SYNAPSE_COMPLETE" in os.environ:
        from typer.completion import (  # type: ignore[attr-defined]
            completion_init,  # pyright: ignore[reportPrivateImportUsage]
        )

        completion_init()
    made: Any = typer.main.get_group(app)
    try:
        made.main(args=None if arguments is None else list(arguments), prog_name="synapse")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    finally:
        hush()
    return 0
