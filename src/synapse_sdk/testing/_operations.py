"""The generated operations as a server sees them: which one a request is for, and whether it is good."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import unquote

import httpx

from synapse_agent_api import api
from synapse_agent_api.client import Operation
from synapse_agent_api.requests import REQUESTS

from ._reply import ApiError
from ._schema import from_text, problems

if TYPE_CHECKING:
    from ._state import State

__all__ = ["ANSWERS", "Answer", "Call", "Route", "answers", "read_call", "route_for", "table"]

_FORM = "multipart/form-data"


@dataclass(frozen=True)
class Call:
    """A request that is acceptable: what it names, and what it brings."""

    operation: Operation[Any]
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: dict[str, Any]
    host: str


@dataclass(frozen=True)
class Route:
    operation: Operation[Any]
    path: Mapping[str, str]


Answer = Callable[["State", Call], object]

ANSWERS: dict[str, Answer] = {}
"""What makes the answer to each operation, by its id."""


def answers(operation: str) -> Callable[[Answer], Answer]:
    """Register a function that answers an operation: with the JSON of its success, or with a `Reply`."""

    def register(answer: Answer) -> Answer:
        ANSWERS[operation] = answer
        return answer

    return register


@cache
def table() -> tuple[tuple[re.Pattern[str], Operation[Any]], ...]:
    """Every operation with the pattern of its path; a fixed path goes before one with a parameter."""
    found = sorted(_operations(), key=lambda operation: (operation.path.count("{"), operation.path))
    return tuple((re.compile(_pattern(operation.path)), operation) for operation in found)


def _operations() -> Iterator[Operation[Any]]:
    for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        operation = getattr(importlib.import_module(module.name), "OPERATION", None)
        if isinstance(operation, Operation):
            yield operation  # pyright: ignore[reportUnknownVariableType]


def _pattern(path: str) -> str:
    return "/" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))


def route_for(method: str, path: str) -> Route:
    """Find what a request is for, by its path as it was sent.

    Raises:
        ApiError: 404 or 405.
    """
    allowed: list[str] = []
    for pattern, operation in table():
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if operation.method == method:
            return Route(operation, {name: unquote(value) for name, value in found.groupdict().items()})
        allowed.append(operation.method)
    if allowed:
        words = f"{method} is not allowed on {unquote(path)}"
        raise ApiError(405, words, headers={"allow": ", ".join(sorted(allowed))})
    raise ApiError(404, f"there is no {unquote(path)}")


def read_call(
    route: Route, query: httpx.QueryParams, headers: Mapping[str, str], content: bytes, host: str
) -> Call:
    """Check a request against the spec.

    Raises:
        ApiError: 400 for a path or a body that can't be read, 422 with each field that is wrong.
    """
    wanted: Mapping[str, Any] = REQUESTS[route.operation.id]
    for name, schema in wanted["parameters"]["path"].items():
        for problem in problems(schema, route.path[name], ("path", name)):
            raise ApiError(400, f"{name} {problem['msg']}")
    errors: list[dict[str, object]] = []
    values: dict[str, Any] = {}
    for name, schema in wanted["parameters"]["query"].items():
        if name in query:
            given = query.get_list(name) if schema.get("type") == "array" else query[name]
            values[name] = from_text(schema, given)
            errors += problems(schema, values[name], ("query", name))
        elif "default" in schema:
            values[name] = schema["default"]
    body = _body(wanted["bodies"], headers, content, errors)
    if errors:
        raise ApiError.fields(errors)
    return Call(route.operation, route.path, values, body, host)


def _body(
    bodies: Mapping[str, Any], headers: Mapping[str, str], content: bytes, errors: list[dict[str, object]]
) -> dict[str, Any]:
    if not bodies:
        return {}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM and _FORM in bodies:
        schema = bodies[_FORM]
        value: Any = _form(schema, headers["content-type"], content)
    else:
        schema = bodies["application/json"]
        value = _json(content)
    errors += problems(schema, value, ("body",))
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    known: Mapping[str, Any] = schema.get("properties", {})
    defaults = {name: item["default"] for name, item in known.items() if "default" in item}
    return defaults | {name: item for name, item in given.items() if item is not None}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {error}") from None


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number there")


def _form(schema: Mapping[str, Any], content_type: str, content: bytes) -> dict[str, Any]:
    """Read a multipart form: objects come as JSON in it, numbers as their digits."""
    header = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(header + content)
    fields: dict[str, Any] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise ApiError(400, "the form has a part without a name")
        raw = part.get_payload(decode=True)
        data = raw if isinstance(raw, bytes) else b""
        fields[name] = data if name == "file" else _form_value(schema, name, data)
    return fields


def _form_value(schema: Mapping[str, Any], name: str, data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    known: Mapping[str, Any] = schema["properties"].get(name, {})
    if not list(problems(known, text, ())):
        return int(text) if text.isdecimal() and "integer" in known.get("type", ()) else text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
