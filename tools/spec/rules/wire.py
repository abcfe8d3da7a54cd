"""The rules for parameters, bodies and answers, without which the client would send or read others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..document import pointer, shown
from ..media import bodies_to_send, kind_of
from ..walk import (
    Raw,
    as_list,
    as_mapping,
    follow,
    operations,
    parameters,
    responses,
    schemas,
    types_of,
)
from .registry import Said, rule

_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_PLACES = {"path": "in the path", "header": "in a header", "cookie": "in a cookie"}


def _types(document: Raw, schema: Any, depth: int = 8) -> set[str]:
    """Return the JSON types that a schema allows."""
    raw = follow(document, schema)
    if depth == 0:
        return set()
    found = set(types_of(raw))
    if "properties" in raw:
        found.add("object")
    for word in ("allOf", "anyOf", "oneOf"):
        for part in as_list(raw.get(word)):
            found |= _types(document, part, depth - 1)
    return found


def _properties(document: Raw, schema: Any, depth: int = 8) -> dict[str, Any]:
    """Return the properties of an object, with those of what it is made of."""
    raw = follow(document, schema)
    found: dict[str, Any] = dict(as_mapping(raw.get("properties")))
    if depth:
        for word in ("allOf", "anyOf", "oneOf"):
            for part in as_list(raw.get(word)):
                found = {**_properties(document, part, depth - 1), **found}
    return found


@rule("parameter", sound=True)
def _(document: Raw) -> Said:
    for where, parameter in parameters(document):
        if "$ref" in parameter:
            continue
        kind = str(parameter.get("in"))
        if kind in _STYLES and parameter.get("style", _STYLES[kind]) != _STYLES[kind]:
            yield where, f"the style {shown(parameter['style'])!r}", "drop it: only the default one is sent"
        if "content" in parameter:
            yield where, "a parameter with `content`", "give it a `schema`: it is sent as text"
        if kind == "query" and parameter.get("explode", True) is not True:
            yield where, "explode: false", "drop it: each item of a list is sent by itself"
        if parameter.get("allowReserved") is True:
            yield where, "allowReserved", "drop it: everything is percent-encoded"
        types = _types(document, parameter.get("schema"))
        if kind in _STYLES and "object" in types:
            mend = "make one parameter of each field, or send it in the body"
            yield where, "an object as a parameter", mend
        elif kind in _PLACES and "array" in types:
            yield where, f"a list {_PLACES[kind]}", "send it in the query, or in the body"
        elif kind == "path" and types & {"number", "boolean"}:
            what = f"a {' or '.join(sorted(types & {'number', 'boolean'}))} in the path"
            yield where, what, "make it a string or an integer"
    for place in operations(document):
        own = [
            follow(document, item)
            for item in (*as_list(place.raw.get("parameters")), *as_list(place.item.get("parameters")))
        ]
        # A cookie and a header of one name would be one argument.
        each = Counter(
            ("header" if p.get("in") == "cookie" else p.get("in"), str(p.get("name")).lower()) for p in own
        )
        for (_, name), times in each.items():
            if times > 1:
                mend = "say it for the path or for the operation"
                yield place.where, f"the parameter {shown(name)} twice", mend
        named = {p.get("name") for p in own if p.get("in") == "path"}
        for name in re.findall(r"{(\w+)}", place.path):
            if name not in named:
                what = f"the path has {{{name}}}, and no parameter describes it"
                yield place.where, what, "add it to parameters, with `in: path`"
        for name in sorted(map(str, named)):
            if f"{{{name}}}" not in place.path:
                yield place.where, f"the path has no {{{shown(name)}}}", "add it there, or drop the parameter"


@rule("media-type", sound=True)
def _(document: Raw) -> Said:
    for where, response in responses(document):
        content = as_mapping(response.get("content"))
        if len(content) > 1:
            yield where, "several content types, of which one would be lost", "keep the one that agents send"
        for name in content:
            if kind_of(str(name)) == "stream":
                mend = "leave it out: a tail is written by hand, in synapse_sdk.streaming"
                yield where, "a stream that has no end, which no method could return", mend
            elif kind_of(str(name)) in ("multipart", "form"):
                yield where, f"an answer of the type {shown(name)}", "answer JSON, text or bytes"
    for where, body in _bodies(document):
        content = as_mapping(body.get("content"))
        kinds = bodies_to_send(map(str, content))
        if set(kinds) - {"json", "multipart"} and len(kinds) > 1:
            yield where, f"a body of several kinds: {', '.join(map(shown, content))}", "keep one of them"
        if "stream" in kinds:
            yield where, f"a body of the type {kinds['stream']}", "take JSON, a form, text or bytes"
        for name, media in content.items():
            if "encoding" in as_mapping(media):
                yield where, f"an encoding of {shown(name)}, which would not be sent", "drop it"
            if kinds.get(kind_of(str(name))) == name:
                yield from _form(document, where, str(name), as_mapping(media).get("schema"))


def _bodies(document: Raw) -> Iterator[tuple[str, Raw]]:
    named = as_mapping(as_mapping(document.get("components")).get("requestBodies"))
    for name, body in named.items():
        yield pointer("components", "requestBodies", name), as_mapping(body)
    for place in operations(document):
        yield f"{place.where}/requestBody", as_mapping(place.raw.get("requestBody"))


def _form(document: Raw, where: str, name: str, schema: Any) -> Said:
    if kind_of(name) not in ("multipart", "form"):
        return
    properties = _properties(document, schema)
    if not properties:
        yield where, "a form that is no object with fields", "give its schema properties"
    if kind_of(name) == "form":
        for field, inner in properties.items():
            items = [follow(document, part).get("items") for part in _parts(document, inner)]
            types = _types(document, inner).union(*(_types(document, item) for item in items if item))
            if "object" in types:
                yield where, f"{shown(field)} is an object in a urlencoded form", "send JSON, or multipart"
            if "binary" in {follow(document, part).get("format") for part in _parts(document, inner)}:
                yield where, f"{shown(field)} is a file in a urlencoded form", "make it multipart/form-data"


def _parts(document: Raw, schema: Any) -> list[Any]:
    raw = follow(document, schema)
    return [raw, *as_list(raw.get("anyOf")), *as_list(raw.get("oneOf")), *as_list(raw.get("allOf"))]


@rule("success", sound=True)
def _(document: Raw) -> Said:
    for place in operations(document):
        where = f"{place.where}/responses"
        answers = as_mapping(place.raw.get("responses"))
        successes = {str(status): answer for status, answer in answers.items() if str(status)[:1] == "2"}
        if not successes:
            yield where, "no success response", "add one, such as 200 or 204"
        kinds: set[str] = set()
        for status, answer in successes.items():
            if not status.isdecimal():
                yield f"{where}/{status}", "a range of success statuses", "name each, such as 200"
            content = as_mapping(follow(document, answer).get("content"))
            kinds |= {kind_of(str(name)) for name in content}
        if "bytes" in kinds and len(kinds) > 1 and place.method != "head":
            words = ", ".join(sorted(kinds - {"bytes"})).replace("json", "JSON")
            what = f"bytes with one status and {words} with another"
            yield where, what, "answer one of them by an operation of its own"


@rule("enum", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        values = [value for value in as_list(as_mapping(schema).get("enum")) if value is not None]
        kinds = {type(value) for value in values}
        if kinds <= {str} or kinds <= {int}:
            continue
        if len(kinds) > 1 and not kinds <= {int, float}:
            yield where, "an enum of several types", "make all of its values texts, or integers"
        else:
            what = (
                "numbers" if kinds <= {int, float} else "booleans" if kinds == {bool} else "objects or lists"
            )
            yield where, f"an enum of {what}", "say its type, number or boolean, without enum"


@rule("discriminator", sound=True)
def _(document: Raw) -> Said:
    for where, schema, _, _ in schemas(document):
        raw = as_mapping(schema)
        if "discriminator" not in raw:
            continue
        discriminator = as_mapping(raw["discriminator"])
        name = discriminator.get("propertyName")
        members = [*as_list(raw.get("oneOf")), *as_list(raw.get("anyOf"))]
        if not members or not isinstance(name, str):
            mend = "put it beside the oneOf that it is for, with a propertyName"
            yield where, "a discriminator without a union", mend
            continue
        references = {
            str(as_mapping(member).get("$ref"))
            for member in members
            if as_mapping(member).get("type") != "null"
        }
        for reference in sorted(references):
            if not reference.startswith("#/components/schemas/"):
                yield (
                    where,
                    "a discriminator of a union whose members have no names",
                    "name them in components",
                )
            elif name not in _properties(document, {"$ref": reference}):
                what = (
                    f"the discriminator {shown(name)} is no property of {shown(reference.rpartition('/')[2])}"
                )
                yield where, what, "add it to its properties"
        for tag, target in as_mapping(discriminator.get("mapping")).items():
            whole = target if "/" in str(target) else f"#/components/schemas/{target}"
            if whole not in references:
                yield (
                    where,
                    f"the discriminator's {shown(tag)} leads to none of the union",
                    "mend its mapping",
                )
