"""Checks of query parameters; one answer names every error."""

from __future__ import annotations

import re

from aiohttp import web

from ..errors import FieldError, InvalidBodyError
from .validation import ID, ID_RULE

__all__ = ["QueryFields"]

_DIGITS = re.compile(r"\+?[0-9]{1,100}\Z")


class QueryFields:
    """Read the query parameters of a request; `check` raises 422 if any of them was wrong."""

    def __init__(self, request: web.Request) -> None:
        self._query = request.query
        self._errors: list[FieldError] = []

    def check(self) -> None:
        """Raise 422 with an entry for each parameter that was wrong."""
        if self._errors:
            raise InvalidBodyError(self._errors)

    def integer(self, name: str, *, most: int | None = None) -> int | None:
        """Return a number from 1 to `most`; None where none was given."""
        word = self._query.get(name)
        if word is None:
            return None
        value = int(word) if _DIGITS.match(word) else 0
        if value >= 1 and (most is None or value <= most):
            return value
        rule = "of at least 1" if most is None else f"from 1 to {most}"
        self._add(name, f"must be an integer {rule}", "int_type", word)
        return None

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Return one of the choices; None where none was given."""
        word = self._query.get(name)
        if word is not None and word not in choices:
            self._add(name, f"must be one of {', '.join(choices)}", "enum", word)
        return word

    def identifier(self, name: str) -> str | None:
        """Return an id; None where none was given."""
        word = self._query.get(name)
        if word is not None and not ID.match(word):
            self._add(name, f"must be {ID_RULE}", "string_pattern_mismatch", word)
        return word

    def text(self, name: str, *, most: int) -> str | None:
        """Return a text of 1 to `most` characters; None where none was given."""
        return next(iter(self.texts(name, most=most)), None)

    def texts(self, name: str, *, most: int) -> list[str]:
        """Return every value of a parameter, each of 1 to `most` characters."""
        words = self._query.getall(name, [])
        for word in words:
            if not 1 <= len(word) <= most:
                self._add(name, f"must have 1 to {most} characters", "string_type", word)
        return words

    def _add(self, name: str, msg: str, type_: str, value: object) -> None:
        self._errors.append(FieldError(("query", name), msg, type_, value))
