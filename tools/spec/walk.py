"""Walk through a document: its operations, parameters, responses and schemas, whatever else they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .document import pointer, resolve

__all__ = [
    "METHODS",
    "OperationPlace",
    "Raw",
    "SchemaPlace",
    "as_list",
    "as_mapping",
    "follow",
    "operations",
    "parameters",
    "responses",
    "schemas",
    "types_of",
]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Raw = Mapping[str, Any]


class OperationPlace(NamedTuple):
    """An operation and where it is."""

    where: str
    path: str
    method: str
    raw: Raw
    item: Raw


class SchemaPlace(NamedTuple):
    """A schema, where it is, and its role there; `named` if it is one of components."""

    where: str
    raw: Any
    named: bool
    role: str


def as_mapping(value: Any) -> Raw:
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def operations(document: Raw) -> Iterator[OperationPlace]:
    """Yield every operation of `paths`."""
    for path, item in as_mapping(document.get("paths")).items():
        for method in METHODS:
            if method in as_mapping(item):
                yield OperationPlace(
                    pointer("paths", path, method), path, method, as_mapping(item[method]), item
                )


def follow(document: Raw, node: Any) -> Raw:
    while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
        node = resolve(document, node["$ref"])
    return as_mapping(node)


def content_schemas(where: str, holder: Any, role: str) -> Iterator[SchemaPlace]:
    for kind, media in as_mapping(as_mapping(holder).get("content")).items():
        if "schema" in as_mapping(media):
            yield from schemas_within(f"{where}/content/{pointer(kind)[2:]}/schema", media["schema"], role)


def schemas_within(where: str, schema: Any, role: str, *, named: bool = False) -> Iterator[SchemaPlace]:
    yield SchemaPlace(where, schema, named, role)
    if not isinstance(schema, Mapping):
        return
    for name, inner in as_mapping(schema.get("properties")).items():
        yield from schemas_within(f"{where}/properties/{pointer(name)[2:]}", inner, "property")
    for word in ("items", "additionalProperties"):
        if word in schema and not (word == "additionalProperties" and isinstance(schema[word], bool)):
            yield from schemas_within(f"{where}/{word}", schema[word], word)
    for word in ("allOf", "anyOf", "oneOf"):
        for number, inner in enumerate(as_list(schema.get(word))):
            # Of a named schema's own parts, each stays what the whole is.
            yield from schemas_within(
                f"{where}/{word}/{number}", inner, word, named=named and word == "allOf"
            )


def parameters(document: Raw) -> Iterator[tuple[str, Raw]]:
    components = as_mapping(document.get("components"))
    for name, parameter in as_mapping(components.get("parameters")).items():
        yield pointer("components", "parameters", name), as_mapping(parameter)
    for path, item in as_mapping(document.get("paths")).items():
        holders = {pointer("paths", path): item}
        holders |= {
            pointer("paths", path, method): item[method] for method in METHODS if method in as_mapping(item)
        }
        for where, holder in holders.items():
            for number, parameter in enumerate(as_list(as_mapping(holder).get("parameters"))):
                yield f"{where}/parameters/{number}", as_mapping(parameter)


def responses(document: Raw) -> Iterator[tuple[str, Raw]]:
    for name, response in as_mapping(as_mapping(document.get("components")).get("responses")).items():
        yield pointer("components", "responses", name), as_mapping(response)
    for place in operations(document):
        for status, response in as_mapping(place.raw.get("responses")).items():
            yield f"{place.where}/responses/{status}", as_mapping(response)


def schemas(document: Raw) -> Iterator[SchemaPlace]:
    components = as_mapping(document.get("components"))
    for name, schema in as_mapping(components.get("schemas")).items():
        yield from schemas_within(pointer("components", "schemas", name), schema, "schema", named=True)
    for where, parameter in parameters(document):
        if "schema" in parameter:
            yield from schemas_within(f"{where}/schema", parameter["schema"], "parameter")
    for where, response in responses(document):
        yield from content_schemas(where, response, "answer")
    for name, body in as_mapping(components.get("requestBodies")).items():
        yield from content_schemas(pointer("components", "requestBodies", name), body, "body")
    for place in operations(document):
        yield from content_schemas(f"{place.where}/requestBody", place.raw.get("requestBody"), "body")


def types_of(schema: Raw) -> list[str]:
    kind = schema.get("type")
    return [kind] if isinstance(kind, str) else [item for item in as_list(kind) if isinstance(item, str)]
