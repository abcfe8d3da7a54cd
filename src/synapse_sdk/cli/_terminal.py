"""The standard streams: whether they are terminals, and what can be written to them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, TextIO

from ._sanitize import one_line

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "buffered_stdout",
    "colours",
    "interactive",
    "is_dumb",
    "note",
    "prepare_streams",
    "say",
    "stderr_console",
    "stdout_console",
]

_DIM = "\x1b[2m"
_RESET = "\x1b[0m"


def interactive(stream: TextIO) -> bool:
    """Return whether a stream is a terminal."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def colours(stream: TextIO) -> bool:
    """Return whether to write colours to a stream: to terminals, unless NO_COLOR or TERM say no."""
    return interactive(stream) and not os.environ.get("NO_COLOR") and not is_dumb()


def is_dumb() -> bool:
    """Return whether TERM names a terminal without colours and cursor movement, or none at all."""
    # Windows doesn't set it.
    return os.environ.get("TERM", "" if os.name == "posix" else "windows") in ("", "dumb", "unknown")


def say(text: object) -> None:
    """Write a line to stderr, if that is open."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{one_line(text)}\n")
        sys.stderr.flush()


def note(text: object) -> None:
    """Write a notice to stderr, if that is open."""
    line = f"synapse: {one_line(text)}"
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{_DIM}{line}{_RESET}\n" if colours(sys.stderr) else f"{line}\n")
        sys.stderr.flush()


def stdout_console() -> Console:
    """Return rich's console on stdout."""
    return _console(sys.stdout)


def stderr_console() -> Console:
    """Return rich's console on stderr."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(
        file=stream,
        color_system=None if is_dumb() else "auto",
        highlight=False,
        emoji=False,
        markup=False,
    )


def prepare_streams() -> None:
    """Make the standard streams usable whatever the environment is."""
    _open_missing()
    replace_unencodable()


def _open_missing() -> None:
    # Python sets a stream that is closed at the start to None. Each gets its own descriptor back, since
    # opening a file takes the lowest free one. Otherwise the next socket would get stdout's or stderr's.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def replace_unencodable() -> None:
    """Write text that the locale can't encode as escapes instead of failing; read stdin as UTF-8."""
    # ValueError: the stream is closed, or something was read from it.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError):
            _reconfigure(stream, errors="backslashreplace")
    with contextlib.suppress(ValueError):
        _reconfigure(sys.stdin, errors="strict", encoding="utf-8")


@contextlib.contextmanager
def buffered_stdout() -> Generator[None]:
    """Replace a stdout that has no buffer, as PYTHONUNBUFFERED makes it, by one that has."""
    # Without a buffer, Python drops what a pipe or a full disk doesn't take at once, and reports nothing.
    unbuffered = sys.stdout
    if not isinstance(getattr(unbuffered, "buffer", None), io.RawIOBase):
        yield
        return
    with open(
        unbuffered.fileno(), "w", encoding=unbuffered.encoding, errors=unbuffered.errors, closefd=False
    ) as sys.stdout:
        try:
            yield
        finally:
            sys.stdout = unbuffered


def _reconfigure(stream: TextIO, *, errors: str, encoding: str | None = None) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=encoding, errors=errors)
