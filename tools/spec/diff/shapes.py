"""Reduce schemas to what they accept: one branch per JSON type, whatever words a schema is written in.

In a branch there are no references, no `allOf`, `anyOf` or `oneOf`, and one spelling of null, of `const` and
of the limits of 3.0 and 3.1. Properties and items are reduced only when they are compared, so that recursive
schemas end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..document import SpecError, resolve

__all__ = ["Branch", "Limits", "Shapes", "canonical"]

Node = Any
Limits = Mapping[str, tuple[float, int]]

MAX_BRANCHES = 1000
BINARY = ("binary", "byte")
TYPES = ("null", "boolean", "number", "string", "array", "object")
# What these hold is data, or text for readers.
ANNOTATIONS = frozenset(
    {
        *(
            "$comment",
            "default",
            "deprecated",
            "description",
            "example",
            "examples",
            "externalDocs",
            "readOnly",
        ),
        *("summary", "title", "writeOnly", "xml"),
    }
)
# The keywords of one type each. All others that restrict are compared as they are written.
BOUNDS = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
RULES = {
    "number": ("multipleOf",),
    "string": ("pattern",),
    "array": ("uniqueItems", "prefixItems", "contains", "minContains", "maxContains", "unevaluatedItems"),
    "object": (
        *("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
        "unevaluatedProperties",
    ),
}
ANY_TYPE = ("not", "if", "then", "else")
RESTRICTING = frozenset(
    {
        *(word for group in (*BOUNDS.values(), *RULES.values(), ANY_TYPE) for word in group),
        *("additionalProperties", "contentMediaType", "format", "items", "properties", "required"),
    }
)
# They only say how many bits or which widget; every number or text is one of these.
IDLE_FORMATS = frozenset({"int64", "double", "float", "password"})


@dataclass(frozen=True)
class Branch:
    """The values of one JSON type that a schema accepts.

    Attributes:
        type: The JSON type; `binary` and `byte` are strings that are sent in another form.
        name: The schema of components that it comes from.
        values: The only values, as JSON texts; None for any.
        limits: Bounds by name, as the number and 1 where that itself is outside.
        rules: Whatever else a value has to fulfil, in canonical text.
    """

    type: str
    name: str | None = None
    values: frozenset[str] | None = None
    limits: Limits = field(default_factory=dict[str, tuple[float, int]])
    rules: frozenset[str] = frozenset()
    properties: Mapping[str, Node] = field(default_factory=dict[str, Node])
    required: frozenset[str] = frozenset()
    additional: Node = None
    items: Node = None


class Shapes:
    """The schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        # With the node, so that its id stays its own.
        self._known: dict[int, tuple[Node, tuple[Branch, ...]]] = {}
        self._open: set[int] = set()
        self._met: dict[frozenset[int], Node] = {}
        self._made: dict[int, tuple[Node, ...]] = {}

    def follow(self, node: Node) -> Node:
        """Return what a reference leads to."""
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            node = resolve(self.document, node["$ref"])
        return node

    def annotation(self, node: Node, name: str) -> Any:
        """Return an annotation of a schema, its own or that of what it is made of; None if there is none."""
        seen: set[int] = set()
        todo = [node]
        while todo:
            here = todo.pop(0)
            if not isinstance(here, Mapping) or id(here) in seen:
                continue
            seen.add(id(here))
            if name in here:
                return here[name]
            if isinstance(here.get("$ref"), str):
                todo.append(resolve(self.document, here["$ref"]))
            todo += here.get("allOf", ())
            for word in ("anyOf", "oneOf"):
                members = [member for member in here.get(word, ()) if not _is_null(member)]
                todo += members if len(members) == 1 else []
        return None

    def branches(self, node: Node) -> tuple[Branch, ...]:
        """Return what a schema accepts, one branch or more for each JSON type."""
        if id(node) in self._known:
            return self._known[id(node)][1]
        if id(node) in self._open:
            # It is made of itself, which says nothing about a value.
            return _anything()
        self._open.add(id(node))
        found = self._reduce(node)
        self._open.discard(id(node))
        self._known[id(node)] = node, found
        return found

    def _reduce(self, node: Node) -> tuple[Branch, ...]:
        if node is False:
            return ()
        if not isinstance(node, Mapping):
            return _anything()
        parts: list[tuple[Branch, ...]] = []
        if isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            name = reference.rpartition("/")[2] if reference.startswith("#/components/schemas/") else None
            target = self.branches(resolve(self.document, reference))
            parts.append(tuple(replace(branch, name=branch.name or name) for branch in target))
        parts += [self.branches(part) for part in node.get("allOf", ())]
        parts += [self._union(node, node[word]) for word in ("anyOf", "oneOf") if word in node]
        # In 3.0 a type that may be null says so beside everything else; beside a union it widens that.
        nullable = node.get("nullable") is True
        own = self._own(node, nullable=nullable and "type" in node)
        if own is not None:
            parts.append(own)
        if not parts:
            return _anything()
        found = parts[0]
        for part in parts[1:]:
            if len(found) * len(part) > MAX_BRANCHES:
                raise SpecError("a schema is made of more alternatives than can be compared; name fewer")
            found = tuple(both for a in found for b in part if (both := self._both(a, b)) is not None)
        if nullable and "type" not in node and not any(branch.type == "null" for branch in found):
            found = (*found, Branch("null"))
        return _joined(found)

    def _union(self, node: Mapping[str, Any], members: Iterable[Node]) -> tuple[Branch, ...]:
        discriminator = node.get("discriminator")
        field_name = discriminator.get("propertyName") if isinstance(discriminator, Mapping) else None
        found: list[Branch] = []
        for member in members:
            branches = self.branches(member)
            if isinstance(field_name, str) and isinstance(member, Mapping) and "$ref" in member:
                mapping = discriminator.get("mapping", {}) if isinstance(discriminator, Mapping) else {}
                short = member["$ref"].rpartition("/")[2]
                values = [value for value, target in mapping.items() if target in (member["$ref"], short)]
                tag = Branch(
                    "object",
                    properties={field_name: {"type": "string", "enum": values or [short]}},
                    required=frozenset({field_name}),
                )
                branches = tuple(
                    replace(both, name=branch.name)
                    for branch in branches
                    if (both := self._both(branch, tag)) is not None
                )
            found += branches
        return tuple(found)

    def _own(self, node: Mapping[str, Any], *, nullable: bool) -> tuple[Branch, ...] | None:
        """Return what a schema's own keywords accept; None where it has none that restrict."""
        values = node["enum"] if isinstance(node.get("enum"), list) else None
        if "const" in node:
            values = [node["const"]]
        kinds = node.get("type")
        types = [kinds] if isinstance(kinds, str) else list(kinds) if isinstance(kinds, list) else None
        if types is None and values is not None:
            types = list(dict.fromkeys(_type_of(value) for value in values))
        if types is None:
            if RESTRICTING.isdisjoint(node):
                return None
            # `properties` without a type is meant for objects.
            types = ["object"] if "properties" in node else list(TYPES)
        if "number" in types:
            types = [name for name in types if name != "integer"]
        found = [Branch("null")] if nullable else []
        for name in dict.fromkeys(types):
            only = None if values is None else [value for value in values if _is_of(value, name)]
            if only == [] or (nullable and name == "null"):
                continue
            found.append(self._branch(node, name, only))
        return tuple(found)

    def _branch(self, node: Mapping[str, Any], name: str, values: list[Any] | None) -> Branch:
        family = "number" if name == "integer" else name
        rules = {f"{key} {canonical(self.document, node[key])}" for key in ANY_TYPE if key in node}
        for key in RULES.get(family, ()):
            if key in node and node[key] not in (False, {}, []):
                rules.add(f"{key} {canonical(self.document, node[key])}")
        form = node.get("format")
        if name == "string":
            if node.get("contentEncoding") in ("base64", "base64url"):
                form = "byte"
            elif node.get("contentMediaType") == "application/octet-stream":
                form = "binary"
        kind = form if name == "string" and isinstance(form, str) and form in BINARY else name
        if (
            family in ("number", "string")
            and kind == name
            and isinstance(form, str)
            and form not in IDLE_FORMATS
        ):
            rules.add(f"format {form}")
        is_object, is_array = name == "object", name == "array"
        return Branch(
            type=kind,
            values=None if values is None or name == "null" else frozenset(map(_text, values)),
            limits=_limits(node, name, family),
            rules=frozenset(rules),
            properties=node.get("properties", {}) if is_object else {},
            required=frozenset(node.get("required", ())) if is_object else frozenset(),
            additional=node.get("additionalProperties") if is_object else None,
            items=node.get("items") if is_array else None,
        )

    def _both(self, a: Branch, b: Branch) -> Branch | None:
        """Return what two branches both accept; None for nothing."""
        if a.type != b.type:
            if {a.type, b.type} == {"integer", "number"}:
                a, b = replace(a, type="integer"), replace(b, type="integer")
            elif {a.type, b.type} <= {"string", *BINARY}:
                kind = a.type if a.type in BINARY else b.type
                a, b = replace(a, type=kind), replace(b, type=kind)
            else:
                return None
        for one, other in ((a, b), (b, a)):
            if other == Branch(other.type):
                return one
        values = b.values if a.values is None else a.values if b.values is None else a.values & b.values
        if values is not None and not values:
            return None
        limits = dict(a.limits)
        for key, place in b.limits.items():
            limits[key] = (max if key.startswith("min") else min)(place, limits.get(key, place))
        properties: dict[str, Node] = {}
        for key in dict.fromkeys([*a.properties, *b.properties]):
            # What one of them does not name is one of its other properties.
            sides = [side.properties.get(key, side.additional) for side in (a, b)]
            properties[key] = self._all_of([side for side in sides if isinstance(side, Mapping)])
        return Branch(
            a.type,
            None,
            values,
            limits,
            a.rules | b.rules,
            properties,
            a.required | b.required,
            False if False in (a.additional, b.additional) else self._of_both(a.additional, b.additional),
            self._of_both(a.items, b.items),
        )

    def _of_both(self, a: Node, b: Node) -> Node:
        sides = [side for side in (a, b) if isinstance(side, Mapping)]
        return self._all_of(sides) if sides else a if b is None else b

    def _all_of(self, nodes: list[Mapping[str, Any]]) -> Node:
        """Return one schema for several, the same for the same ones, so that recursion comes to its end."""
        parts: dict[int, Node] = {}
        for node in nodes:
            for part in self._made.get(id(node), (node,)):
                parts[id(part)] = part
        if len(parts) == 1:
            return next(iter(parts.values()))
        key = frozenset(parts)
        if key not in self._met:
            self._met[key] = {"allOf": list(parts.values())}
            self._made[id(self._met[key])] = tuple(parts.values())
        return self._met[key]


def canonical(document: Mapping[str, Any], node: Any) -> str:
    """Write a part of a document without texts, with what it refers to, to be compared as it is."""
    referred: dict[str, Any] = {}

    def plain(node: Any) -> Any:
        if isinstance(node, list):
            return [plain(item) for item in node]
        if not isinstance(node, Mapping):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in referred:
            referred[reference] = None
            referred[reference] = plain(resolve(document, reference))
        return {
            key: plain(value)
            for key, value in node.items()
            if key not in ANNOTATIONS or isinstance(value, Mapping)
        }

    whole = plain(node)
    return json.dumps([whole, referred] if referred else whole, sort_keys=True)


def _is_null(node: Node) -> bool:
    return isinstance(node, Mapping) and (
        node.get("type") == "null"
        or node.get("enum") == [None]
        or ("const" in node and node["const"] is None)
    )


def _anything() -> tuple[Branch, ...]:
    return tuple(Branch(name) for name in TYPES)


def _limits(node: Mapping[str, Any], name: str, family: str) -> dict[str, tuple[float, int]]:
    """Return lower bounds as (5, 1) for above 5, and upper ones as (5, -1) for below 5, so that they sort."""
    found: dict[str, tuple[float, int]] = {}
    for key in BOUNDS.get(family, ()):
        value = node.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        bound = key.removeprefix("exclusive")
        bound = bound[:1].lower() + bound[1:]
        low = bound.startswith("min")
        # 3.0 has `exclusiveMinimum: true` beside the minimum, 3.1 has the number itself.
        outside = key.startswith("exclusive") or node.get(f"exclusive{key[:1].upper()}{key[1:]}") is True
        place: tuple[float, int] = (value, 0)
        if outside and name == "integer":
            place = (math.floor(value) + 1 if low else math.ceil(value) - 1, 0)
        elif outside:
            place = (value, 1 if low else -1)
        if place == (0, 0) and low and family != "number":
            continue
        if bound in found:
            place = max(place, found[bound]) if low else min(place, found[bound])
        found[bound] = place
    return found


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True)


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _is_of(value: Any, name: str) -> bool:
    kind = _type_of(value)
    return kind == name or (kind == "integer" and name == "number")


def _joined(branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """Join branches that differ in their values only, and drop those that are there twice."""
    found: list[Branch] = []
    for branch in branches:
        for number, other in enumerate(found):
            if replace(branch, values=None, name=None) == replace(other, values=None, name=None):
                values = (
                    None if branch.values is None or other.values is None else branch.values | other.values
                )
                found[number] = replace(other, values=values)
                break
        else:
            found.append(branch)
    if any(branch == Branch("number") for branch in found):
        found = [branch for branch in found if branch.type != "integer"]
    return tuple(found)
