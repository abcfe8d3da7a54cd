"""The process itself: home directory, standard streams, open files."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

__all__ = ["check_open_files", "describe", "prepare_process", "write_error", "write_output"]

# Imports, the event loop, a socket, the index and one client.
_MIN_OPEN_FILES = 16


def prepare_process() -> None:
    """Open standard streams that are closed, and set HOME if it is missing."""
    _open_standard_streams()
    if not os.path.isabs(os.environ.get("HOME", "/")):  # noqa: PTH117 - Path("") is "."
        # Empty or relative: use the passwd file instead.
        del os.environ["HOME"]
    try:
        Path.home()
    except RuntimeError:
        # The user is in no passwd file. Docker sets the same for such a user.
        os.environ["HOME"] = "/"


def check_open_files() -> None:
    """Raise OSError if the process may open too few files."""
    import resource  # not at the top: Windows, which has none, still gets --help and --version

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < _MIN_OPEN_FILES:
        raise OSError(f"only {limit} open files are allowed, and {_MIN_OPEN_FILES} are needed: see ulimit -n")


def _open_standard_streams() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Takes the descriptor of the closed stream, which a socket would get otherwise.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def write_output(text: str) -> None:
    """Write to standard output at once. Raises OSError if that fails."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _discard(sys.stdout)
        raise OSError(f"can't write to standard output: {describe(error)}") from None


def write_error(text: str) -> None:
    """Write to standard error at once; text that can't be written is lost."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def describe(error: OSError) -> str:
    """Return the system's reason in words, with the name of the file."""
    reason = error.strerror or str(error)
    return f"{reason}: {error.filename}" if error.filename else reason


def _discard(stream: TextIO) -> None:
    # The buffer keeps what was not written, and Python would try again at exit.
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
