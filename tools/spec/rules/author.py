"""The rules that keep a spec good to read and to document, which the generated code doesn't depend on."""

from __future__ import annotations

import ast
import difflib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..document import pointer, shown
from ..walk import Raw, as_list, as_mapping, operations, responses, schemas, types_of
from .registry import Said, rule

ROOT = Path(__file__).resolve().parents[3]

_EXTENSIONS = {
    "operation": frozenset({"x-aliases", "x-codeSamples", "x-pagination", "x-wait"}),
    "response": frozenset({"x-error-class"}),
}


@rule("version", sound=False)
def _(document: Raw) -> Said:
    if not str(document.get("openapi", "")).startswith("3.1."):
        yield (
            "#/openapi",
            f"OpenAPI {shown(document.get('openapi'))}",
            "write it in 3.1: null is a type there",
        )


@rule("security", sound=False)
def _(document: Raw) -> Said:
    for place in operations(document):
        if not place.raw.get("security"):
            mend = "name it here: generators ignore what stands at the top"
            yield place.where, "no security of its own", mend


@rule("tag-declared", sound=False)
def _(document: Raw) -> Said:
    declared = {
        as_mapping(tag).get("name")
        for tag in as_list(document.get("tags"))
        if as_mapping(tag).get("description")
    }
    for place in operations(document):
        for tag in as_list(place.raw.get("tags")):
            if tag not in declared:
                yield (
                    place.where,
                    f"the tag {shown(tag)} is not described",
                    "add it to the list of tags at the top",
                )


@rule("named", sound=False)
def _(document: Raw) -> Said:
    for where, schema, named, role in schemas(document):
        if named or not isinstance(schema, Mapping) or "$ref" in schema:
            continue
        if "enum" in schema:
            yield where, "an enum without a name", "move it to components/schemas and refer to it"
        elif "properties" in schema:
            yield where, "an object without a name", "move it to components/schemas and refer to it"
        elif "object" in types_of(schema) or "additionalProperties" in schema:
            yield (
                where,
                "a free-form object without a name",
                "refer to JsonObject, or to a map of components/schemas",
            )
        elif role == "allOf" and schema.get("properties"):
            yield where, "an object without a name", "move it to components/schemas and refer to it"


@rule("described", sound=False)
def _(document: Raw) -> Said:
    for where, schema, _, role in schemas(document):
        if role != "property" or not isinstance(schema, Mapping):
            continue
        if not schema.get("description"):
            yield where, "a property without a description", "say what it is, and in which unit"
        elif "example" not in schema and schema.get("format") != "binary":
            yield where, "a property without an example", "give it one: docstrings and tests use it"


@rule("nullable", sound=False)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        if not isinstance(schema, Mapping):
            continue
        if "nullable" in schema:
            yield where, "nullable, which 3.1 has no more", "write type: [string, 'null']"
        elif "null" in types_of(schema) and ("enum" in schema or "properties" in schema):
            yield (
                where,
                "an enum or an object that may be null",
                "write oneOf: [{$ref: …}, {type: 'null'}] where it is used",
            )


@rule("error-response", sound=False)
def _(document: Raw) -> Said:
    for place in operations(document):
        for status, response in as_mapping(place.raw.get("responses")).items():
            if str(status)[:1] in "45" and "$ref" not in as_mapping(response):
                where = f"{place.where}/responses/{status}"
                yield (
                    where,
                    "an error that is written out",
                    "put it into components/responses and refer to it",
                )


@rule("example", sound=False)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        if "examples" in as_mapping(schema):
            yield where, "`examples`, which the generator leaves out of docstrings", "write one `example`"


@rule("not-generated", sound=False)
def _(document: Raw) -> Said:
    if "webhooks" in document:
        yield "#/webhooks", "webhooks, which the client has no words for", "drop them"
    for place in operations(document):
        if "callbacks" in place.raw:
            yield place.where, "callbacks, which the client has no words for", "drop them"
    for where, response in responses(document):
        if "links" in response:
            yield where, "links, which the client has no words for", "drop them"
    for where, schema, _, _ in schemas(document):
        if as_mapping(schema).get("deprecated") is True:
            yield (
                where,
                "deprecated, which the client doesn't tell",
                "say it in the description as well, not here",
            )


@rule("text", sound=False)
def _(document: Raw) -> Said:
    todo: list[tuple[tuple[object, ...], Any]] = [((), document)]
    while todo:
        where, value = todo.pop()
        if isinstance(value, Mapping):
            todo += [((*where, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [((*where, number), inner) for number, inner in enumerate(value)]
        elif isinstance(value, str):
            # Examples may well have some.
            odd = {c for c in value if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Zl", "Zp")}
            if odd and "example" not in where:
                code = f"U+{ord(min(odd)):04X}"
                yield shown(pointer(*where)), f"has the control character {code}", "take it out"


@rule("extension", sound=False)
def _(document: Raw) -> Said:
    known = frozenset[str]().union(*_EXTENSIONS.values())
    places: list[tuple[str, str, Raw]] = [
        ("operation", place.where, place.raw) for place in operations(document)
    ]
    places += [("response", where, response) for where, response in responses(document)]
    places += [("schema", where, as_mapping(schema)) for where, schema, _, _ in schemas(document)]
    for kind, where, raw in places:
        for word in raw:
            if word.startswith("x-") and word not in _EXTENSIONS.get(kind, ()):
                close = difflib.get_close_matches(word, known, 1)
                mend = f"is it {close[0]}, of an operation or a response?" if close else "drop it"
                yield where, f"{shown(word)}, which nothing here reads", mend
    for where, response in responses(document):
        named = response.get("x-error-class")
        if named is not None and named not in _error_classes():
            yield (
                where,
                f"x-error-class {shown(named)}, which synapse_sdk.clients.exceptions lacks",
                "mend the name",
            )
    for place in operations(document):
        for number, sample in enumerate(as_list(place.raw.get("x-codeSamples"))):
            if str(as_mapping(sample).get("lang", "")).lower() == "python":
                try:
                    ast.parse(str(sample.get("source", "")))
                except (SyntaxError, ValueError) as error:
                    yield f"{place.where}/x-codeSamples/{number}", f"no Python: {error}", "mend the example"


@cache
def _error_classes() -> frozenset[str]:
    path = ROOT / "src" / "synapse_sdk" / "_exceptions.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))
