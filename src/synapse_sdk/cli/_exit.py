"""Exit codes, and errors of the command line's own."""

from __future__ import annotations

__all__ = ["FAILED", "INCOMPLETE", "INTERRUPTED", "OK", "PIPE", "USAGE", "CommandError"]

OK = 0
FAILED = 1
USAGE = 2
INCOMPLETE = 3
INTERRUPTED = 130
# What a shell reports of a program that SIGPIPE ended.
PIPE = 141


class CommandError(Exception):
    """What went wrong on this side, as one sentence.

    Args:
        message: The sentence, without a full stop.
        hint: What to do about it.
        code: The exit code.
    """

    def __init__(self, message: str, *, hint: str | None = None, code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message
