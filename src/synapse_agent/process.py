"""The process and its files: home directory, standard streams, limits, changes of a file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

__all__ = ["describe", "file_stamp", "prepare_process", "raise_open_files", "write_error", "write_output"]

# Imports, the event loop, a socket, the database and one client.
_MIN_OPEN_FILES = 16

# What the agent opens without any connection, and the limit that it asks for.
_OWN_OPEN_FILES = 64
_MAX_OPEN_FILES = 1 << 16


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


def raise_open_files() -> int:
    """Raise the soft limit of open files, and return how many connections it allows.

    A connection may take two: itself, and the log or the connection to Ray that it reads from. Raises
    OSError if the limit is too low to start at all.
    """
    import resource  # not at the top: Windows, which has none, still gets --help and --version

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft == resource.RLIM_INFINITY:
        soft = _MAX_OPEN_FILES
    elif soft < most:
        with suppress(OSError, ValueError):  # some systems have a lower limit of their own
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    if soft < _MIN_OPEN_FILES:
        raise OSError(f"only {soft} open files are allowed, and {_MIN_OPEN_FILES} are needed: see ulimit -n")
    return max(1, (soft - min(_OWN_OPEN_FILES, soft // 2)) // 2)


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


def file_stamp(path: Path) -> tuple[int, ...]:
    """Return numbers that change when a file does; none without a file."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


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
