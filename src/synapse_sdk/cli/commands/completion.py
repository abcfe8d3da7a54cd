"""`synapse completion`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._exit import USAGE, CommandError

__all__ = ["app"]

app: typer.Typer = group("Print the completion script of a shell.")

_SHELLS = ("bash", "zsh", "fish")


@command(
    app,
    "completion",
    agent=False,
    example="""
synapse completion bash > ~/.local/share/bash-completion/completions/synapse
synapse completion zsh > ~/.zfunc/_synapse      # with ~/.zfunc in fpath, before compinit
synapse completion fish > ~/.config/fish/completions/synapse.fish
""",
)
def completion(
    shell: Annotated[
        str, typer.Argument(metavar="bash|zsh|fish", help="The shell.", autocompletion=lambda: list(_SHELLS))
    ],
) -> None:
    """Print the completion script of a shell.

    Job ids and other names are completed, too, by asking the agent.
    """
    if shell not in _SHELLS:
        raise CommandError(f"there is no completion for {shell!r}", hint="for bash, zsh and fish", code=USAGE)
    from typer.completion import (  # type: ignore[attr-defined]
        get_completion_script,  # pyright: ignore[reportPrivateImportUsage]
    )

    script = get_completion_script(prog_name="synapse", complete_var="_SYNAPSE_COMPLETE", shell=shell)
    sys.stdout.write(f"{script}\n")
