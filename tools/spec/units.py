"""Split a spec into the units that an agent can change, and put a unit of one spec into another.

A unit is an operation, a schema, a property, a parameter, and what of them is said besides texts. Texts,
examples, tags and extensions are the author's: they are no unit, and stay when one is replaced.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from .document import Document, resolve
from .walk import METHODS

__all__ = ["GAINED", "TEXTS", "Unit", "put", "security_of", "units"]

TEXTS = frozenset(
    {"description", "example", "examples", "externalDocs", "summary", "tags", "title", "deprecated"}
)
WORDS = {
    "security": "the security",
    "deprecated": "the deprecation",
    "body-required": "the body's `required`",
    "errors": "the errors",
}
# An agent's document often leaves these out, which says nothing: only what it has more is a change.
GAINED = frozenset({"errors", "header", "security", "deprecated"})


class Unit(NamedTuple):
    """The kind of a unit, and the names that lead to it."""

    kind: str
    owner: str
    name: str = ""
    place: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "operation" | "schema":
                return f"{self.owner}: the {self.kind}"
            case "parameter":
                return f"{self.owner}: the {self.place} parameter {self.name}"
            case "required":
                return f"{self.owner}: what is required"
            case "enum":
                return f"{self.owner}: the enum"
            case "header":
                return f"{self.owner}: the header {self.name} of the answer {self.place}"
            case "security" | "deprecated" | "body-required" | "errors":
                return f"{self.owner}: {WORDS[self.kind]}"
        return f"{self.owner}: the {self.kind} {self.name}".rstrip()


def units(document: Document) -> dict[Unit, Any]:
    """Everything that a document says, by what it is of."""
    found: dict[Unit, Any] = {}
    for path, method, item, operation in _operations(document):
        owner = f"{method.upper()} {path}"
        found[Unit("operation", owner)] = True
        for parameter in (*item.get("parameters", ()), *operation.get("parameters", ())):
            whole = _whole(document, parameter)
            bare = _bare({key: value for key, value in whole.items() if key in ("in", "required", "schema")})
            bare["schema"] = _bare(_whole(document, whole.get("schema", {})))
            found[Unit("parameter", owner, whole["name"], whole["in"])] = bare
        body = _whole(document, operation.get("requestBody", {}))
        for kind, media in body.get("content", {}).items():
            found[Unit("body", owner, kind)] = _bare(media.get("schema", {}))
        if body:
            found[Unit("body-required", owner)] = body.get("required", False)
        if operation.get("deprecated") is True:
            found[Unit("deprecated", owner)] = True
        security = security_of(document, operation)
        if security:
            found[Unit("security", owner)] = _bare(security)
        errors = sorted(str(status) for status in operation.get("responses", {}) if str(status)[:1] in "45")
        if errors:
            found[Unit("errors", owner)] = errors
        for status, response in operation.get("responses", {}).items():
            if status.startswith("2"):
                whole = _whole(document, response)
                content = whole.get("content", {})
                found[Unit("answer", owner, status)] = {
                    kind: _bare(m.get("schema", {})) for kind, m in content.items()
                }
                for name in whole.get("headers", {}):
                    found[Unit("header", owner, str(name).lower(), status)] = True
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if "properties" not in schema and "enum" not in schema:
            found[Unit("schema", name)] = _bare(schema)
            continue
        found[Unit("schema", name)] = True
        if "enum" in schema:
            found[Unit("enum", name)] = list(schema["enum"])
        else:
            found[Unit("required", name)] = sorted(schema.get("required", ()))
            for field, inner in schema["properties"].items():
                found[Unit("field", name, field)] = _bare(inner)
    return found


def security_of(document: Document, operation: Any) -> list[Any]:
    """Return what an operation asks for, by itself or as all do."""
    found: list[Any] = operation.get("security", document.get("security", []))
    return found


def put(unit: Unit, source: Document, target: Document) -> None:
    """Make a unit of one document what it is in another, where it may not be at all."""
    if unit.kind in ("schema", "field", "required", "enum"):
        _put_schema(unit, source["components"]["schemas"], target["components"]["schemas"])
        return
    method, _, path = unit.owner.partition(" ")
    method = method.lower()
    there, here = source["paths"].get(path, {}), target["paths"].setdefault(path, {})
    if unit.kind == "operation":
        if method in there:
            here[method] = copy.deepcopy(there[method])
            said = {_place(target, item) for item in here.get("parameters", ())}
            both = [*there.get("parameters", ()), *there[method].get("parameters", ())]
            own = [copy.deepcopy(item) for item in both if _place(source, item) not in said]
            here[method].pop("parameters", None)
            if own:
                here[method]["parameters"] = own
            security = security_of(source, there[method])
            if security:
                here[method]["security"] = copy.deepcopy(security)
        else:
            here.pop(method, None)
        if not any(name in METHODS for name in here):
            del target["paths"][path]
        return
    if method not in here:
        # The operation itself was not taken.
        return
    now, was = there.get(method, {}), here[method]
    if unit.kind == "parameter":
        _put_parameter(unit, source, (there, now), target, (here, was))
    elif unit.kind == "body":
        _put_in(
            was.setdefault("requestBody", {"required": True}),
            now.get("requestBody", {}),
            "content",
            unit.name,
        )
        if not was["requestBody"].get("content"):
            del was["requestBody"]
    elif unit.kind in ("security", "deprecated", "body-required", "errors", "header"):
        _put_said(unit, source, now, target, was)
    else:
        answer, old = now.get("responses", {}).get(unit.name), was["responses"].get(unit.name)
        if answer is None:
            was["responses"].pop(unit.name, None)
        elif isinstance(old, MutableMapping) and "content" in old and "content" in answer:
            old["content"] = copy.deepcopy(answer["content"])
        else:
            was["responses"][unit.name] = copy.deepcopy(answer)


def _put_said(unit: Unit, source: Document, now: Any, target: Document, was: Any) -> None:
    """Take over what is said of an operation beside its parameters, bodies and answers."""
    match unit.kind:
        case "security":
            was["security"] = copy.deepcopy(security_of(source, now))
        case "deprecated":
            was["deprecated"] = True
        case "body-required":
            if "requestBody" in was and "$ref" not in was["requestBody"]:
                was["requestBody"]["required"] = _whole(source, now.get("requestBody", {})).get(
                    "required", False
                )
        case "errors":
            for status, response in now.get("responses", {}).items():
                if str(status)[:1] in "45" and status not in was["responses"]:
                    was["responses"][status] = _error_like(target, status) or copy.deepcopy(response)
        case "header":
            whole = _whole(target, was["responses"].get(unit.place, {}))
            theirs = _whole(source, now.get("responses", {}).get(unit.place, {})).get("headers", {})
            for name, header in theirs.items():
                if str(name).lower() == unit.name:
                    whole.setdefault("headers", {})[name] = copy.deepcopy(header)


def _error_like(document: Document, status: str) -> Any:
    """Return a reference to the answer that our other operations have for a status, if one has."""
    for _, _, _, operation in _operations(document):
        response = operation.get("responses", {}).get(status)
        if isinstance(response, Mapping) and "$ref" in response:
            return {"$ref": response["$ref"]}
    return None


def _put_schema(unit: Unit, source: Mapping[str, Any], target: Any) -> None:
    if unit.kind == "schema":
        if unit.owner in source:
            target[unit.owner] = copy.deepcopy(source[unit.owner])
        else:
            target.pop(unit.owner, None)
        return
    if unit.owner not in target:
        return
    schema, other = target[unit.owner], source.get(unit.owner, {})
    if unit.kind == "field":
        _put_in(schema, other, "properties", unit.name)
        if unit.name not in other.get("properties", {}) and unit.name in schema.get("required", ()):
            schema["required"].remove(unit.name)
        return
    now, was = other.get(unit.kind, []), schema.setdefault(unit.kind, [])
    # In place, so that the order and the comments of what stays stay.
    for value in [value for value in was if value not in now]:
        was.remove(value)
    was.extend(value for value in now if value not in was)
    if not was:
        del schema[unit.kind]


def _put_in(holder: Any, other: Mapping[str, Any], key: str, name: str) -> None:
    there = other.get(key, {})
    here = holder.setdefault(key, {})
    if name not in there:
        here.pop(name, None)
        return
    new = copy.deepcopy(there[name])
    if name in here:
        # The author's words for it stay.
        new |= {word: value for word, value in here[name].items() if word in TEXTS or word.startswith("x-")}
    here[name] = new


def _put_parameter(
    unit: Unit, source: Document, now: tuple[Any, Any], target: Document, was: tuple[Any, Any]
) -> None:
    def find(document: Document, holders: tuple[Any, Any]) -> tuple[Any, int] | None:
        for holder in holders:
            for number, item in enumerate(holder.get("parameters", ())):
                if _place(document, item) == (unit.place, unit.name):
                    return holder, number
        return None

    new, old = find(source, now), find(target, was)
    if new is None:
        if old is not None:
            holder, number = old
            del holder["parameters"][number]
            if not holder["parameters"]:
                del holder["parameters"]
        return
    whole = copy.deepcopy(dict(_whole(source, new[0]["parameters"][new[1]])))
    if old is None:
        was[1].setdefault("parameters", []).append(whole)
        return
    holder, number = old
    words = _whole(target, holder["parameters"][number])
    whole |= {word: value for word, value in words.items() if word in TEXTS}
    if holder is was[0]:
        # A path item's parameter belongs to its other operations, too.
        del holder["parameters"][number]
        if not holder["parameters"]:
            del holder["parameters"]
        was[1].setdefault("parameters", []).append(whole)
    else:
        # In its place, since the order of parameters is that of the method's arguments.
        holder["parameters"][number] = whole


def _place(document: Document, parameter: Any) -> tuple[str, str]:
    whole = _whole(document, parameter)
    return whole["in"], whole["name"]


def _operations(document: Document) -> Iterator[tuple[str, str, Any, Any]]:
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield path, method, item, item[method]


def _whole(document: Document, node: Any) -> Any:
    while isinstance(node, Mapping) and "$ref" in node:
        node = {
            **resolve(document, node["$ref"]),
            **{key: value for key, value in node.items() if key != "$ref"},
        }
    return node


def _bare(node: Any) -> Any:
    """Return a schema without texts, as plain Python, its keys sorted."""
    if isinstance(node, Mapping):
        return {
            str(key): (
                {str(name): _bare(inner) for name, inner in sorted(value.items())}
                if key == "properties"
                else _bare(value)
            )
            for key, value in sorted(node.items())
            if key == "properties" or not (key in TEXTS or str(key).startswith("x-"))
        }
    if isinstance(node, list):
        return [_bare(item) for item in node]
    return node
