"""Rewrite a document for the parser, which leaves out what it doesn't know.

Only what the parser is given changes: media types and places are read from the document itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

from ..spec.media import bodies_to_send, kind_of
from ..spec.walk import METHODS, as_mapping, operations, parameters, schemas
from .types import OWN_HEADERS

__all__ = ["adapted"]

BINARY = {"type": "string", "format": "binary"}
# A media type of each kind that the parser knows, and what it takes for the schema where there is none.
KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "json": ("application/json", {}),
    "text": ("text/plain", {"type": "string"}),
    "bytes": ("application/octet-stream", BINARY),
    "multipart": ("multipart/form-data", {"type": "object"}),
    "form": ("application/x-www-form-urlencoded", {"type": "object"}),
}


def adapted(document: Any) -> Any:
    """Return a copy of a sound document that the parser reads as it is meant."""
    result = copy.deepcopy(document)
    for _, schema, _, _ in schemas(result):
        # The parser ignores what stands beside a reference.
        if isinstance(schema, dict) and "$ref" in schema and ("default" in schema or "readOnly" in schema):
            schema["allOf"] = [{"$ref": schema.pop("$ref")}]
    for listed in _parameter_lists(result):
        listed[:] = [item for item in listed if not _is_own(result, item)]
    for _, parameter in parameters(result):
        # It takes any type in a cookie, and not in a header.
        if parameter.get("in") == "header":
            cast("dict[str, Any]", parameter)["in"] = "cookie"
    components = as_mapping(result.get("components"))
    for response in as_mapping(components.get("responses")).values():
        _adapt_response(response)
    for body in as_mapping(components.get("requestBodies")).values():
        _adapt_body(body)
    for place in operations(result):
        for status, response in as_mapping(place.raw.get("responses")).items():
            if place.method == "head" and str(status)[:1] == "2":
                place.raw["responses"][status] = {"description": ""}
            else:
                _adapt_response(response)
        _adapt_body(place.raw.get("requestBody"))
    return result


def _parameter_lists(document: Any) -> Iterator[list[Any]]:
    for item in as_mapping(document.get("paths")).values():
        for holder in (item, *(item[method] for method in METHODS if method in item)):
            if "parameters" in holder:
                yield holder["parameters"]


def _is_own(document: Any, item: Any) -> bool:
    while "$ref" in item:
        item = document["components"]["parameters"][item["$ref"].rpartition("/")[2]]
    return item.get("in") == "header" and str(item.get("name")).lower() in OWN_HEADERS


def _adapt_response(response: Any) -> None:
    content = response.get("content")
    if content:
        response["content"] = {
            KNOWN[kind_of(name)][0]: {**media, "schema": _schema(kind_of(name), media)}
            for name, media in content.items()
            if kind_of(name) in KNOWN
        }


def _schema(kind: str, media: Any) -> Any:
    # Text and bytes are what they are, whatever the schema says of them.
    known = KNOWN[kind][1]
    return known if kind in ("text", "bytes") else media.get("schema", known)


def _adapt_body(body: Any) -> None:
    if not body or "content" not in body:
        return
    chosen = bodies_to_send(body["content"])
    content: dict[str, Any] = {}
    for kind, name in chosen.items():
        media = body["content"][name]
        # The parser has no word for a body of text, and gives each schema the same treatment.
        known = "application/octet-stream" if kind == "text" else KNOWN[kind][0]
        content[known] = {**media, "schema": _schema(kind, media)}
    body["content"] = content
