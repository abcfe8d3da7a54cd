"""Collect the schemas of what each operation takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .types import ParsedSpec

__all__ = ["inline_refs", "request_schemas"]

# What of a schema decides whether a value is taken.
DECISIVE = (
    *("type", "format", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "pattern", "items"),
    *("required", "properties", "additionalProperties", "anyOf", "oneOf", "default"),
)


def inline_refs(spec: ParsedSpec, node: Any, inside: frozenset[str] = frozenset()) -> Any:
    """Return a schema without references and `allOf`, with only the keywords that decide about a value.

    Where it refers to itself again, it accepts anything.
    """
    if isinstance(node, list):
        return [inline_refs(spec, item, inside) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        if node["$ref"] in inside:
            return {}
        inside |= {node["$ref"]}
    raw = spec.resolve(node)
    whole: dict[str, Any] = {}
    for part in raw.get("allOf", []):
        for key, value in inline_refs(spec, part, inside).items():
            match key:
                case "properties":
                    whole[key] = {**whole.get(key, {}), **value}
                case "required":
                    whole[key] = [*whole.get(key, []), *value]
                case _:
                    whole[key] = value
    for key in DECISIVE:
        if key not in raw:
            continue
        if key == "required":
            known = raw.get("properties", {})
            whole[key] = [name for name in raw[key] if not known.get(name, {}).get("readOnly")]
        elif key in ("const", "default", "enum"):
            whole[key] = raw[key]
        elif key == "properties":
            # What the agent fills in is ignored, whatever a request says.
            asked = {name: item for name, item in raw[key].items() if not item.get("readOnly")}
            fields = {name: inline_refs(spec, item, inside) for name, item in asked.items()}
            whole[key] = {**whole.get(key, {}), **fields}
        else:
            whole[key] = inline_refs(spec, raw[key], inside)
    return whole


def request_schemas(spec: ParsedSpec) -> dict[str, Any]:
    """Return the schemas of parameters and bodies, by operationId."""
    table: dict[str, Any] = {}
    for raw in spec.operations.values():
        body = raw["requestBody"]
        parameters = raw["parameters"]
        table[raw["operationId"]] = {
            "parameters": {
                place: {
                    parameter["name"]: inline_refs(spec, parameter.get("schema", {}))
                    for parameter in parameters
                    if parameter.get("in") == place
                }
                for place in ("path", "query")
            },
            "bodies": {
                media_type: inline_refs(spec, media.get("schema", {}))
                for media_type, media in body.get("content", {}).items()
            },
        }
    return table
