"""From an exception to one sentence and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING

from synapse_sdk.cli._exit import FAILED, INTERRUPTED, PIPE, USAGE, CommandError
from synapse_sdk.cli._terminal import say

if TYPE_CHECKING:
    from synapse_sdk.cli._settings import Settings
    from synapse_sdk.clients.exceptions import ClientError

__all__ = ["explain", "explained", "hush", "turned_away"]

_HINTS = {
    401: "give the agent's token by SYNAPSE_AGENT_TOKEN or --token-file, or run: synapse login",
    403: "ask whoever runs the agent for a token that may",
}


def explain(error: BaseException, settings: Settings, *, code: int = FAILED) -> int:
    """Tell what went wrong on stderr; give the exit code.

    Args:
        error: What was raised.
        settings: Whether to show tracebacks, and what to leave out of them.
        code: For an error of the agent or the way to it.
    """
    from synapse_sdk.clients.exceptions import ClientError, ValidationError

    if isinstance(error, BrokenPipeError):
        return turned_away()
    if settings.debug:
        _show_traceback(error, settings.secrets)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, CommandError):
        _tell(str(error), settings.secrets)
        return error.code
    if isinstance(error, ClientError):
        _tell(explained(error), settings.secrets)
        return USAGE if isinstance(error, ValidationError) else code
    hint = "" if settings.debug else " (--debug shows where)"
    _tell(f"unexpected {type(error).__name__}: {error}{hint}", settings.secrets)
    return code


def explained(error: ClientError) -> str:
    """Give a client's error as a sentence that says what to do on a command line."""
    hint = _hint(error)
    plain = type(error)(
        error.status_code, error.detail, operation=error.operation, agent=error.agent, hint=hint
    )
    return str(plain)


def _hint(error: ClientError) -> str | None:
    from synapse_sdk.clients.exceptions import ClientTimeoutError

    if error.status_code in _HINTS:
        return _HINTS[error.status_code]
    if isinstance(error, ClientTimeoutError) and error.hint is not None:
        return "is the agent reachable? --timeout gives it longer"
    hint = error.hint
    if hint is None:
        return None
    # The client's words are for those who write Python.
    for python, option in (
        ("verify='/path/to/ca.pem' trusts", "--ca-file trusts"),
        ("protocol='http' does without", "--protocol http does without"),
        ("protocol='auto' goes on over HTTP; ", "--protocol auto goes on over HTTP; "),
        ("is base_url the agent's", "is --url the agent's"),
        ("the stream's errors has each by its job", "each is named above"),
    ):
        hint = hint.replace(python, option)
    return hint


def hush() -> None:
    """Let nothing complain at exit of the reader that went away."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def turned_away() -> int:
    """End quietly because the reader of our output has gone."""
    hush()
    return PIPE


def _tell(sentence: str, secrets: Iterable[str]) -> None:
    say(f"synapse: {_redacted(sentence, secrets)}")


def _show_traceback(error: BaseException, secrets: Iterable[str]) -> None:
    for line in "".join(traceback.format_exception(error)).splitlines():
        _write(_redacted(line, secrets))


def _write(line: str) -> None:
    from synapse_sdk.cli._sanitize import printable

    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(line)}\n")


def _redacted(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= 6:
            text = text.replace(secret, "***")
    return text
