"""Whether there is a terminal, and what it can take."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from synapse_sdk.cli._sanitize import one_line

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["colours", "interactive", "note", "say", "stderr_console", "stdout_console", "tolerant"]

_DIM = "\x1b[2m"
_RESET = "\x1b[0m"


def interactive(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def colours(stream: TextIO) -> bool:
    """Tell whether to write colours to a stream: to terminals, unless NO_COLOR or TERM=dumb say no."""
    return (
        interactive(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "")
    )


def say(text: object) -> None:
    """Write a line for the person to stderr; whoever closed that does not want it."""
    try:
        sys.stderr.write(f"{one_line(text)}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def note(text: object) -> None:
    """Write a line about what goes on to stderr."""
    line = f"synapse: {one_line(text)}"
    try:
        sys.stderr.write(f"{_DIM}{line}{_RESET}\n" if colours(sys.stderr) else f"{line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def stdout_console() -> Console:
    """Give rich's console on stdout."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, markup=False)


def stderr_console() -> Console:
    """Give rich's console on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False, markup=False)


def tolerant() -> None:
    """Keep text that the locale can't encode from being an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
