"""Examples from the spec, for answers and fields that the fake agent has no code for."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from ._reply import Reply

__all__ = ["example_answer", "example_field"]

# JSON, as the spec has it.
Schema = Any
_MAX_DEPTH = 12
_METHODS = ("get", "put", "post", "patch", "delete", "head")


@cache
def _document() -> dict[str, Any]:
    text = resources.files("synapse_agent").joinpath("openapi.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _whole(node: Schema) -> Schema:
    """Follow references, and lay what `allOf` names together."""
    while "$ref" in node:
        found: Any = _document()
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = {**found, **{key: value for key, value in node.items() if key != "$ref"}}
    for part in map(_whole, node.get("allOf", [])):
        properties = {**part.get("properties", {}), **node.get("properties", {})}
        node = {**part, **node, **({"properties": properties} if properties else {})}
    return node


def _example(node: Schema, depth: int = 0) -> Any:
    """Return a schema's example, or a value made of what it says."""
    schema = _whole(node)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if depth < _MAX_DEPTH:
        if "properties" in schema:
            return {name: _example(item, depth + 1) for name, item in schema["properties"].items()}
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return _example(schema[key][0], depth + 1)
    kinds = schema.get("type")
    kind = kinds if isinstance(kinds, str) else (kinds or [None])[0]
    if kind == "string":
        return {"date": "2026-01-31", "date-time": "2026-01-31T10:00:00Z"}.get(
            schema.get("format", ""), "text"
        )
    plain: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": False, "array": [], "object": {}}
    return plain.get(str(kind))


def example_field(model: str, name: str) -> Any:
    """Return the example of a model's field."""
    schema = _whole({"$ref": f"#/components/schemas/{model}"})
    return _example(schema.get("properties", {}).get(name, {}))


def example_answer(operation_id: str) -> Reply | None:
    """Return the example of what an operation answers, or None where the spec has no such operation."""
    for item in _document()["paths"].values():
        for method in _METHODS:
            if item.get(method, {}).get("operationId") == operation_id:
                return _success(item[method])
    return None


def _success(operation: Schema) -> Reply:
    status, answer = min((key, item) for key, item in operation["responses"].items() if key.startswith("2"))
    for kind, media in _whole(answer).get("content", {}).items():
        value = media["example"] if "example" in media else _example(media.get("schema", {}))
        if kind.endswith("json"):
            return Reply.json(int(status), value)
        return Reply(int(status), str(value).encode(), {"content-type": kind})
    return Reply(int(status))
