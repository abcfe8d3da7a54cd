"""A check of values against the generated schemas: as much of JSON Schema as requests in the spec use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

__all__ = ["Schema", "from_text", "problems"]

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]

_TYPES: Mapping[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str | bytes),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_LIMITS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("must be at least {}", lambda value, limit: value >= limit),
    "maximum": ("must be at most {}", lambda value, limit: value <= limit),
    "minLength": ("must have at least {} characters", lambda value, limit: len(value) >= limit),
    "maxLength": ("must have at most {} characters", lambda value, limit: len(value) <= limit),
    # Python's $ also stands before a last newline.
    "pattern": (
        "must match {}",
        lambda value, limit: re.search(re.sub(r"\$\Z", r"\\Z", limit), value) is not None,
    ),
}


def problems(schema: Schema, value: Any, at: Path) -> Iterator[dict[str, object]]:
    """Name what is wrong with a value, each as an entry of a 422's `detail`."""
    choices = cast("list[Schema] | None", schema.get("oneOf") or schema.get("anyOf"))
    if choices is not None:
        yield from _chosen(choices, value, at)
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_TYPES[name](value) for name in types):
        yield _problem(at, f"must be of type {' or '.join(types)}", f"{types[0]}_type", value)
        return
    if value is None:
        return
    if schema.get("format") == "int64" and not -(2**63) <= value < 2**63:
        yield _problem(at, "must fit into 64 bits", "int_type", value)
    if "enum" in schema and value not in schema["enum"]:
        yield _problem(at, f"must be one of {', '.join(map(str, schema['enum']))}", "enum", value)
    for name, (words, holds) in _LIMITS.items():
        if name in schema and not holds(value, schema[name]):
            yield _problem(at, words.format(schema[name]), name.lower(), value)
    if isinstance(value, dict):
        yield from _members(schema, cast("dict[str, Any]", value), at)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(cast("list[object]", value)):
            yield from problems(schema["items"], item, (*at, index))


def _members(schema: Schema, value: dict[str, Any], at: Path) -> Iterator[dict[str, object]]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _problem((*at, name), "is required", "missing", None)
    further = schema.get("additionalProperties")
    for name, item in value.items():
        if name in known:
            yield from problems(known[name], item, (*at, name))
        elif isinstance(further, Mapping):
            yield from problems(cast("Schema", further), item, (*at, name))
        elif further is False:
            yield _problem((*at, name), "is not known", "extra_forbidden", item)


def _chosen(choices: list[Schema], value: Any, at: Path) -> Iterator[dict[str, object]]:
    found = [list(problems(choice, value, at)) for choice in choices]
    if all(found):
        # That it is not null needs no telling.
        yield from next(
            errors for choice, errors in zip(choices, found, strict=True) if choice.get("type") != "null"
        )


def _problem(at: Path, msg: str, type_: str, value: object) -> dict[str, object]:
    shown = None if isinstance(value, bytes) else value
    return {"loc": list(at), "msg": msg, "type": type_, "input": shown}


def from_text(schema: Schema, text: str | list[str]) -> Any:
    """Read a value that came as text, in a query; as it is where it can't be read."""
    if isinstance(text, list):
        return [from_text(schema["items"], item) for item in text]
    match schema.get("type"):
        case "integer" if re.fullmatch(r"[+-]?[0-9]{1,100}", text):
            return int(text)
        case "boolean" if text in ("true", "1", "false", "0"):
            return text in ("true", "1")
        case _:
            return text
