"""Keep secrets out of messages: the tokens of a client, and texts that look like tokens."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache

from ._exceptions import AuthenticationError, ValidationError
from ._validation import is_header_value

__all__ = ["Secret", "sanitize_error_message"]

_HIDDEN = "***"
_MAX_MESSAGE = 500
# Tokens of a callable that are still redacted after it returned newer ones.
_REMEMBERED = 4
# A shorter token may be a word of any message, such as "token" in a test, so it is redacted only where it
# stands as a credential.
_SECRET_LENGTH = 6


def sanitize_error_message(message: object, context: str = "") -> str:
    """Return an error message as one line of at most 500 characters, without secrets.

    Control characters become spaces. Text that looks like a token (a credential header, `token=...`, a
    password in a URL, a JWT, 40 or more letters and digits in a row) becomes `***`.

    Args:
        message: The message, or the exception.
        context: The operation, which is put before the message.

    Example:
        >>> sanitize_error_message("refused: Authorization: Bearer abc123", "tail job logs")
        'tail job logs: refused: Authorization: ***'
    """
    # The patterns would take too long on a megabyte of HTML.
    text = str(message)[: 8 * _MAX_MESSAGE]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for pattern, replacement in _secrets():
        text = pattern.sub(replacement, text)
    if len(text) > _MAX_MESSAGE:
        text = text[: _MAX_MESSAGE - 1] + "…"
    return f"{context}: {text}" if context else text


class Secret:
    """A token, or a callable that returns it; `repr` and `str` do not show it.

    Args:
        value: The token, or a callable without arguments, which every `reveal` calls.
        name: The name of the parameter, for messages.

    Raises:
        ValidationError: 400, if it can't be a token.
    """

    __slots__ = ("_ask", "_name", "_recent")

    def __init__(self, value: str | Callable[[], str], name: str) -> None:
        self._name = name
        self._ask: Callable[[], object] | None = None
        self._recent: tuple[str, ...] = ()
        if isinstance(value, str):
            self._recent = (_checked(value, name),)
        elif callable(value):
            self._ask = value
        else:
            raise ValidationError(
                400, f"{name} must be a string, or a callable that returns one, not a {type(value).__name__}"
            )

    @property
    def is_callable(self) -> bool:
        """Whether the token comes from a callable, so that it may be another one for each request."""
        return self._ask is not None

    def reveal(self) -> str:
        """Return the token to send now.

        Raises:
            AuthenticationError: 401, if the callable failed; its exception is the cause.
            ValidationError: 400, if what it returned can't be sent.
        """
        if self._ask is None:
            return self._recent[0]
        try:
            token = self._ask()
        except Exception as exc:
            raise AuthenticationError(401, f"the {self._name} callable raised {type(exc).__name__}") from exc
        if not isinstance(token, str):
            if inspect.iscoroutine(token):
                # Otherwise Python warns that it was never awaited.
                token.close()
            raise AuthenticationError(
                401, f"the {self._name} callable must return a string, not a {type(token).__name__}"
            )
        checked = _checked(token, self._name)
        if checked not in self._recent:
            self._recent = (checked, *self._recent)[:_REMEMBERED]
        return checked

    def redact(self, text: str) -> str:
        """Return a text without the token, and without those that a callable returned recently."""
        for token in self._recent:
            if len(token) >= _SECRET_LENGTH:
                text = text.replace(token, _HIDDEN)
            else:
                text = text.replace(f"Token {token}", f"Token {_HIDDEN}")
        return text

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN!r})"

    def __reduce__(self) -> str:
        raise TypeError("a Secret can't be pickled or copied")


def _checked(token: str, name: str) -> str:
    if not token:
        raise ValidationError(400, f"{name} must not be empty")
    if not is_header_value(token):
        raise ValidationError(
            400,
            f"{name} has a character that can't be sent in a header",
            hint="it may end with a line break" if token != token.strip() else None,
        )
    return token


@cache
def _secrets() -> tuple[tuple[re.Pattern[str], str], ...]:
    # Compiled for the first error, because compiling takes a tenth of the time to import this package.
    return (
        # The name of a secret, with its value.
        (
            re.compile(
                r"(?i)((?:authorization|synapse-user|synapse-tenant|cookie|(?:api|access|secret)[-_]?key"
                r"|[a-z_-]*token|password|passwd|secret)[\"']?\s*[=:]\s*[\"']?)"
                r"(?:(?:bearer|token|basic)\s+)?[^\s\"',;&}]+"
            ),
            rf"\1{_HIDDEN}",
        ),
        (re.compile(r"(?i)\b(bearer|token|basic)\s+(?=[^\s\"',;]*[\d_=.-])[^\s\"',;]{8,}"), rf"\1 {_HIDDEN}"),
        (re.compile(r"(//)[^/\s@]+@"), rf"\1{_HIDDEN}@"),
        (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), _HIDDEN),
        (re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}"), _HIDDEN),
    )
