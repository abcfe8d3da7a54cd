"""Questions before what can't be undone."""

from __future__ import annotations

import sys

import click

from ._exit import FAILED, USAGE, CommandError
from ._sanitize import one_line
from ._terminal import interactive

__all__ = ["confirm"]


def confirm(question: str, *, yes: bool) -> None:
    """Ask a question in the terminal, unless --yes was given.

    Raises:
        CommandError: stdin is not a terminal, or the answer is no.
    """
    if yes:
        return
    if not interactive(sys.stdin):
        raise CommandError("nobody is there to be asked", hint="--yes goes on without", code=USAGE)
    if not click.confirm(one_line(question), err=True):
        raise CommandError("nothing was done", code=FAILED)
