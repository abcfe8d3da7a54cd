"""Checks of paths, headers and bodies, before any of it reaches Ray."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from aiohttp import web

from ..errors import MAX_ERRORS, ApiError, FieldError, InvalidBodyError
from .body import read_json

__all__ = ["ID", "ID_RULE", "Fields", "identity_headers", "is_text", "read_object", "resource_id"]

T = TypeVar("T")

ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
ID_RULE = "1 to 100 letters, digits, '-' and '_'"
# Texts go into environments and logs, which take neither control characters nor lone surrogates.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def resource_id(request: web.Request, name: str) -> str:
    """Return the id in the path; 400 if it is invalid, since Ray accepts any id and fails later."""
    value = request.match_info[name]
    if not ID.match(value):
        raise ApiError(400, f"{name} must be {ID_RULE}")
    return value


def identity_headers(request: web.Request) -> dict[str, str]:
    """Return the headers SYNAPSE-User and SYNAPSE-Tenant that the request has."""
    given: dict[str, str] = {}
    for name in ("SYNAPSE-User", "SYNAPSE-Tenant"):
        value = request.headers.get(name)
        if value:
            if _CONTROL.search(value):  # also bytes that are not UTF-8
                raise ApiError(400, f"the header {name} must be a text without control characters")
            given[name] = value
    return given


async def read_object(request: web.Request) -> Mapping[str, object]:
    """Return the request's body, which must be a JSON object; 422 if it is another value.

    `read_json` has the other errors.
    """
    value = await read_json(request)
    if not isinstance(value, dict):
        raise InvalidBodyError([FieldError(("body",), "must be an object", "dict_type", value)])
    return cast("dict[str, object]", value)


def is_text(value: object, most: int) -> bool:
    """Return whether the value is a string that may go into an environment, a log or a command line."""
    return isinstance(value, str) and 1 <= len(value) <= most and not _CONTROL.search(value)


class Fields:
    """Read an object's fields and collect the errors, so that one answer names all of them.

    Null counts as not given, unless `nulls` is false: then it is an error.
    """

    def __init__(self, body: Mapping[str, object], *, nulls: bool = True) -> None:
        self._body = body
        self._nulls = nulls
        self._errors: list[FieldError] = []

    def check(self) -> None:
        """Raise 422 if there was any error."""
        if self._errors:
            raise InvalidBodyError(self._errors)

    def add(self, name: str, msg: str, type_: str, *path: str | int) -> None:
        """Record an error at the field, or at `path` inside it."""
        value: Any = self._body.get(name)
        for step in path:
            value = value[step]
        self.add_error(FieldError(("body", name, *path), msg, type_, value))

    def add_error(self, error: FieldError) -> None:
        """Record an error; raise 422 at once if there are as many as one answer names."""
        self._errors.append(error)
        if len(self._errors) >= MAX_ERRORS:
            self.check()

    def _get(self, name: str, default: T, ok: Callable[[object], bool], msg: str, type_: str) -> T:
        value = self._body.get(name)
        if value is None and (self._nulls or name not in self._body):
            return default
        if not ok(value):
            self.add(name, msg, type_)
            return default
        return cast("T", value)

    def given(self, name: str) -> bool:
        return self._body.get(name) is not None

    def required(self, name: str) -> None:
        if name not in self._body:
            self.add_error(FieldError(("body", name), "is required", "missing", None))
        elif self._body[name] is None:
            self.add(name, "must not be null", "string_type")

    def text(self, name: str, default: str = "", *, most: int = 1000) -> str:
        words = f"must be a text of 1 to {most} characters without control characters"
        return self._get(name, default, lambda v: is_text(v, most), words, "string_type")

    def identifier(self, name: str) -> str:
        ok = ID.match
        return self._get(
            name,
            "",
            lambda v: isinstance(v, str) and ok(v) is not None,
            f"must be {ID_RULE}",
            "string_pattern_mismatch",
        )

    def object(self, name: str) -> dict[str, object]:
        return self._get(
            name, dict[str, object](), lambda v: isinstance(v, dict), "must be an object", "dict_type"
        )

    def texts(self, name: str, *, most: int = 1000) -> list[str]:
        def ok(value: object) -> bool:
            return isinstance(value, list) and all(is_text(v, most) for v in cast("list[object]", value))

        words = f"must be a list of texts, each of 1 to {most} characters without control characters"
        return self._get(name, list[str](), ok, words, "list_type")

    def boolean(self, name: str, default: bool) -> bool:
        return self._get(name, default, lambda v: isinstance(v, bool), "must be true or false", "bool_type")

    def integer(self, name: str, default: int, *, least: int = 0) -> int:
        def ok(value: object) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63

        words = f"must be an integer of at least {least} that fits into 64 bits"
        return self._get(name, default, ok, words, "int_type")

    def number(self, name: str, default: float, *, most: float = sys.float_info.max) -> float:
        def ok(value: object) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most

        limit = "" if most == sys.float_info.max else f" and at most {most:g}"
        return self._get(name, default, ok, f"must be a number of at least 0{limit}", "float_type")

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        return self._get(name, "", lambda v: v in choices, f"must be one of {', '.join(choices)}", "enum")
