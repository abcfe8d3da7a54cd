"""`synapse agent`."""

from __future__ import annotations

import click

from .._command import Group
from .._exit import CommandError, ExitStatus

__all__ = ["app"]


@click.group(cls=Group)
def app() -> None:
    """Run an agent."""


@app.command(
    "serve",
    example="synapse agent serve --help",
    shared=(),
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Serve a Ray cluster over HTTP; `synapse agent serve --help` lists the options."""
    try:
        from synapse_agent.__main__ import main
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed", hint='pip install "synapse-sdk[agent]"'
        ) from error
    raise ExitStatus(main(["serve", *arguments]))
