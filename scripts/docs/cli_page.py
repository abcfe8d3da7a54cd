"""The page of the commands: what `--help` says of each."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator

import click

from spec import header
from synapse_agent.__main__ import main as agent
from synapse_sdk.cli._app import root

WIDTH = 88


def page() -> str:
    lines = header(
        "Command line", "Every command of synapse and synapse-agent, with its help.", source="--help"
    )
    lines += ["How to use them is in [Command line](../how-to/command-line.md).", ""]
    with plain():
        for path, text in walk(root, "synapse", None):
            level = "##" if path.count(" ") == 0 else "###"
            lines += [f"{level} {path}", "", "```text", text.rstrip(), "```", ""]
        lines += ["## synapse-agent serve", "", "```text", agent_help().rstrip(), "```", ""]
    return "\n".join(lines)


def walk(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Yield each command, groups before their commands, and its help."""
    context = command.make_context(
        path.rpartition(" ")[2],
        [],
        parent=parent,
        resilient_parsing=True,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from walk(found, f"{path} {name}", context)


def agent_help() -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        agent(["serve", "--help"])
    return said.getvalue()


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Make a help the same on every terminal."""
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR", "TERM")}
    os.environ.update({"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
