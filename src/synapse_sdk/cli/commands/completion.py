"""`synapse completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from .._command import LOCAL_OPTIONS, Argument, Command

__all__ = ["app"]

# click has the last of them since 8.5.
_SHELLS = [name for name in ("bash", "zsh", "fish", "powershell") if get_completion_class(name)]


@click.command(
    "completion",
    cls=Command,
    shared=LOCAL_OPTIONS,
    example="""
synapse completion bash > ~/.local/share/bash-completion/completions/synapse
synapse completion zsh > ~/.zfunc/_synapse      # with ~/.zfunc in fpath, before compinit
synapse completion fish > ~/.config/fish/completions/synapse.fish
""",
)
@click.argument(
    "shell",
    cls=Argument,
    type=click.Choice(_SHELLS),
    metavar="|".join(_SHELLS),
    help="The shell.",
)
@click.pass_context
def app(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Job ids and other names are completed, too, by asking the agent.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(context.find_root().command, {}, "synapse", "_SYNAPSE_COMPLETE").source()
    sys.stdout.write(f"{script}\n")
