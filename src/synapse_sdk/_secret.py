"""A token that doesn't show itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

from .clients.exceptions import AuthenticationError, ValidationError

__all__ = ["Secret", "is_header_value"]

# What h11 takes in a header, less the C1 controls: printable, and no space at either end.
_HEADER_VALUE = re.compile(r"[!-~\xa1-\xff]+(?:[ \t]+[!-~\xa1-\xff]+)*")
_HIDDEN = "***"
_REMEMBERED = 4
# A shorter one is a word that stands in any message, such as "token" in a test, and is hidden only where it
# stands as a credential.
_SECRET_LENGTH = 6


def is_header_value(text: str) -> bool:
    """Tell whether a text can be sent as the value of a header."""
    return _HEADER_VALUE.fullmatch(text) is not None


class Secret:
    """A token, or the callable that returns it. Neither `repr` nor `str` tell it.

    Args:
        value: The token, or a callable without arguments that returns it; asked at every `reveal`.
        name: The parameter it was given as, for messages.

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

    def reveal(self) -> str:
        """Give back the token to send now.

        Raises:
            AuthenticationError: 401, if the callable failed; what it raised is the cause.
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
                # It would warn that it was never awaited.
                token.close()
            raise AuthenticationError(
                401, f"the {self._name} callable must return a string, not a {type(token).__name__}"
            )
        checked = _checked(token, self._name)
        if checked not in self._recent:
            self._recent = (checked, *self._recent)[:_REMEMBERED]
        return checked

    def redact(self, text: str) -> str:
        """Take the token out of a text; one that a callable returned lately, too."""
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
            hint="a line break at its end, perhaps" if token != token.strip() else None,
        )
    return token
