"""`synapse agent`."""

from __future__ import annotations

import typer

from synapse_sdk.cli._command import group
from synapse_sdk.cli._exit import CommandError

__all__ = ["app"]

app: typer.Typer = group("Run an agent.")


@app.callback()
def _agent() -> None:  # pyright: ignore[reportUnusedFunction]
    """Run an agent."""


@app.command(
    "serve",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
def serve(context: typer.Context) -> None:
    """Serve a Ray cluster over HTTP; `synapse agent serve --help` lists the options."""
    try:
        from synapse_agent.__main__ import main
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed", hint='pip install "synapse-sdk[agent]"'
        ) from error
    raise typer.Exit(main(["serve", *context.args]))
