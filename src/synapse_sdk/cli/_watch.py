"""A table that is drawn again and again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..clients.exceptions import AuthenticationError, AuthorizationError, ClientError
from ._errors import error_sentence
from ._exit import USAGE, CommandError
from ._output import Column, rich_table
from ._sanitize import one_line
from ._terminal import interactive, is_dumb, stdout_console

__all__ = ["watch_table"]

_T = TypeVar("_T")


def watch_table(columns: Sequence[Column[_T]], rows: Callable[[], Sequence[_T]], *, interval: float) -> None:
    """Draw a table until Ctrl-C.

    If the agent can't be reached, the table stays and shows how old it is.

    Args:
        columns: The columns of the table.
        rows: Return the rows; called for each redraw.
        interval: Seconds between two redraws.

    Raises:
        CommandError: There is no terminal to draw on.
        ClientError: The first call failed, or the token was refused.
    """
    if not interactive(sys.stdout) or is_dumb():
        why = f", and TERM is {os.environ.get('TERM') or 'not set'}" if interactive(sys.stdout) else ""
        raise CommandError(f"--watch needs a terminal to draw on{why}", hint="leave it out", code=USAGE)
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    found = rows()
    problem = ""
    console = stdout_console()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            # The line below stays in sight where the table is longer than the terminal.
            room = max(console.height - 3, 1)
            parts: list[Any] = [rich_table(columns, found[:room])] if found else []
            more = f", {len(found) - room} more" if len(found) > room else ""
            foot = f"{time.strftime('%H:%M:%S')}  {len(found)} in all{more}; Ctrl-C ends this"
            parts.append(
                Text(problem or foot, style="red" if problem else "dim", no_wrap=True, overflow="ellipsis")
            )
            live.update(Group(*parts), refresh=True)
            time.sleep(interval)
            try:
                found = rows()
                problem = ""
            except (AuthenticationError, AuthorizationError):
                raise
            except ClientError as error:
                problem = problem or f"as of {time.strftime('%H:%M:%S')}: {one_line(error_sentence(error))}"
