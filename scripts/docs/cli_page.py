"""The page of the commands: what `--help` says of each."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from spec import header
from synapse_agent.__main__ import main as agent
from synapse_sdk.cli._app import app

WIDTH = "88"


def page() -> str:
    lines = header(
        "Command line", "Every command of synapse and synapse-agent, as their help tells it.", source="--help"
    )
    lines += ["How to use them is in [On the command line](../how-to/command-line.md).", ""]
    for path, text in synapse():
        level = "##" if path.count(" ") == 0 else "###"
        lines += [f"{level} {path}", "", "```text", text.rstrip(), "```", ""]
    lines += ["## synapse-agent serve", "", "```text", agent_help().rstrip(), "```", ""]
    return "\n".join(lines)


def synapse() -> Iterator[tuple[str, str]]:
    """Give each command, groups before their commands, and its help."""
    yield from walk(typer.main.get_group(app), "synapse", None)


def walk(command: Any, path: str, parent: Any) -> Iterator[tuple[str, str]]:
    with plain():
        context = command.make_context(path.rpartition(" ")[2], [], parent=parent, resilient_parsing=True)
        context.max_content_width = context.terminal_width = int(WIDTH)
        yield path, command.get_help(context)
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), f"{path} {name}", context)


def agent_help() -> str:
    said = io.StringIO()
    with plain(), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        agent(["serve", "--help"])
    return said.getvalue()


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Let a help be the same on every terminal."""
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR", "TERM")}
    os.environ.update({"COLUMNS": WIDTH, "NO_COLOR": "1", "TERM": "dumb"})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
