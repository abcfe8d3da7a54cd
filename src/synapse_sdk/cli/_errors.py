"""Errors as one sentence on stderr and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._exit import FAILED, INTERRUPTED, PIPE, USAGE, CommandError
from ._terminal import say

if TYPE_CHECKING:
    from ..clients.exceptions import ClientError
    from ._settings import Settings

__all__ = ["error_sentence", "report_error", "sigpipe_exit_code", "silence_output"]

_HINTS = {
    401: "give the agent's token by SYNAPSE_AGENT_TOKEN or --token-file, or run: synapse login",
    403: "ask the operator of the agent for a token that permits this",
}


# The client raises none of these, and what reads or writes files names the file: they come from the output.
_WRITE_ERRORS = frozenset({errno.EAGAIN, errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC})


def report_error(error: BaseException, settings: Settings, *, code: int = FAILED) -> int:
    """Write an error to stderr as a sentence; return the exit code.

    Args:
        error: The exception.
        settings: Say whether to show tracebacks, and which secrets to leave out.
        code: The exit code where the agent, or the way to it, failed.
    """
    from ..clients.exceptions import ClientError, ValidationError

    if isinstance(error, BrokenPipeError):
        return sigpipe_exit_code()
    if settings.debug:
        _show_traceback(error, settings.secrets)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, CommandError):
        _report(str(error), settings.secrets)
        return error.code
    if isinstance(error, ClientError):
        _report(error_sentence(error), settings.secrets)
        return USAGE if isinstance(error, ValidationError) else code
    if isinstance(error, OSError) and error.errno in _WRITE_ERRORS:
        _report(f"the output can't be written: {error.strerror}", settings.secrets)
        return FAILED
    hint = "" if settings.debug else " (--debug shows where)"
    _report(f"unexpected {type(error).__name__}: {error}{hint}", settings.secrets)
    return code


def error_sentence(error: ClientError) -> str:
    """Return a client's error as a sentence that says what to do on a command line."""
    hint = _hint(error)
    plain = type(error)(
        error.status_code, error.detail, operation=error.operation, agent=error.agent, hint=hint
    )
    return str(plain)


def _hint(error: ClientError) -> str | None:
    from ..clients.exceptions import ClientTimeoutError

    if error.status_code in _HINTS:
        return _HINTS[error.status_code]
    if isinstance(error, ClientTimeoutError) and error.hint is not None:
        return "is the agent reachable? --timeout gives it longer"
    hint = error.hint
    if hint is None:
        return None
    # The client's hints are for people who write Python.
    for python, option in (
        ("verify='/path/to/ca.pem' trusts", "--ca-file trusts"),
        ("protocol='http' does without", "--protocol http does without"),
        ("protocol='auto' goes on over HTTP; ", "--protocol auto goes on over HTTP; "),
        ("is base_url the agent's", "is --url the agent's"),
        ("the stream's errors has each by its job", "each is named above"),
    ):
        hint = hint.replace(python, option)
    return hint


def silence_output() -> None:
    """Flush the output; where that fails, discard what is left, so that Python reports nothing at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def sigpipe_exit_code() -> int:
    """Discard the rest of the output, whose reader is gone; return the exit code for that."""
    silence_output()
    return PIPE


def _report(sentence: str, secrets: Iterable[str]) -> None:
    say(f"synapse: {_redacted(sentence, secrets)}")


def _show_traceback(error: BaseException, secrets: Iterable[str]) -> None:
    import traceback

    for line in "".join(traceback.format_exception(error)).splitlines():
        _write(_redacted(line, secrets))


def _write(line: str) -> None:
    from ._sanitize import printable

    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(line)}\n")


def _redacted(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= 6:
            text = text.replace(secret, "***")
    return text
