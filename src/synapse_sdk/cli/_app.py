"""The root of the command."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import click

from .. import __version__
from ._command import Group
from ._errors import silence_output
from ._exit import FAILED, INTERRUPTED, OK
from ._settings import Settings
from ._terminal import buffered_stdout, prepare_streams, say

__all__ = ["root", "run"]

# The help of each command is here, so that `synapse --help` imports none of them.
_COMMANDS = {
    "jobs": "List, look at, follow, wait for and stop jobs.",
    "plugins": "Manage plugin releases and run their actions.",
    "nodes": "The cluster's nodes and GPUs.",
    "tasks": "Ray tasks.",
    "serve": "Ray Serve applications.",
    "resources": "Resources of the cluster, their use, and the policy.",
    "system": "The agent's own deployment.",
    "health": "Check the agent's health.",
    "login": "Keep an agent's address and token as a profile.",
    "profiles": "The agents that are kept as profiles.",
    "agent": "Run an agent.",
    "completion": "Print the completion script of a shell.",
}

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


class _Root(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command. Each import is written out, since PyInstaller looks for imports in the code."""
        app: click.Command | None = None
        match cmd_name:
            case "health":
                from .commands.health import app
            case "login":
                from .commands.login import app
            case "completion":
                from .commands.completion import app
            case "jobs":
                from .commands.jobs import app
            case "plugins":
                from .commands.plugins import app
            case "nodes":
                from .commands.nodes import app
            case "tasks":
                from .commands.tasks import app
            case "serve":
                from .commands.serve import app
            case "resources":
                from .commands.resources import app
            case "system":
                from .commands.system import app
            case "profiles":
                from .commands.profiles import app
            case "agent":
                from .commands.agent import app
            case _:
                pass
        return app

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Root,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, message="synapse %(version)s", help="Show the version.")
def root() -> None:
    """Jobs, plugins and nodes of a Ray cluster, through its Synapse agent."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    prepare_streams()
    with buffered_stdout():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return root.main(arguments, prog_name="synapse", standalone_mode=False, obj=Settings()) or OK
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return error.exit_code
    except click.Abort as error:
        say("Aborted.")
        interrupted = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        return INTERRUPTED if interrupted else FAILED
    except SystemExit as exit_:  # after a completion
        return exit_.code if isinstance(exit_.code, int) else FAILED
    finally:
        silence_output()
