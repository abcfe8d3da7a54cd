"""Exit codes, and the exceptions that end the command."""

from __future__ import annotations

__all__ = ["FAILED", "INCOMPLETE", "INTERRUPTED", "OK", "PIPE", "USAGE", "CommandError", "ExitStatus"]

OK = 0
FAILED = 1
USAGE = 2
INCOMPLETE = 3
INTERRUPTED = 130
# What a shell reports of a program that SIGPIPE ended.
PIPE = 141


class ExitStatus(Exception):  # noqa: N818 - not an error
    """End the command with an exit code, without a message."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class CommandError(Exception):
    """An error of the command line itself, as one sentence.

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
