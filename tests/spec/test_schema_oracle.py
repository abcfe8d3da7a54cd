"""`make spec-diff` against another judge: where it finds no break, a validator of JSON Schema finds none.

Schemas and changes of them are made at random, by the seed. The new schema has to accept what old requests
hold, and the old one what new responses hold.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tables import each_row

from tools.spec.diff.schemas import Direction, SchemaComparison
from tools.spec.diff.shapes import Shapes

pytestmark = pytest.mark.slow

Schema = Any
NAMES = ("A", "B")
SCALARS: tuple[Schema, ...] = (
    *({"type": name} for name in ("string", "integer", "number", "boolean")),
    *({"type": ["string", "null"]}, {"type": ["integer", "string"]}, {}, True),
    *({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["c"]}, {"enum": ["a", 1, None]}),
    *({"const": "a"}, {"const": 1}, {"const": None}),
    *({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    *({"type": "number", "maximum": 1.5}, {"type": "number", "exclusiveMaximum": 2}),
    *(
        {"type": "string", "maxLength": 1},
        {"type": "string", "minLength": 2},
        {"type": "string", "pattern": "^a"},
    ),
    *({"type": "integer", "multipleOf": 2}, {"not": {"type": "string"}}),
)
VALUES: tuple[Any, ...] = ("", "a", "b", "ab", "abcd", 0, 1, 2, 3, -1, 0.5, 1.25, 1.5, None, True, False)


class Maker:
    """Makes schemas, changes of them, and values that they may accept."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def schema(self, depth: int = 2) -> Schema:
        pick = self.random
        if depth == 0 or pick.random() < 0.3:
            return copy.deepcopy(pick.choice(SCALARS))
        inner = [self.schema(depth - 1) for _ in range(3)]
        properties = dict(zip("xyz", inner, strict=True))
        makers: tuple[Callable[[], Schema], ...] = (
            lambda: {"type": "object", "properties": properties, "required": pick.sample("xyz", 1)},
            lambda: {"type": "object", "properties": properties, "additionalProperties": pick.random() < 0.5},
            lambda: {"type": "object", "additionalProperties": inner[0]},
            lambda: {"type": "array", "items": inner[0], "maxItems": pick.randint(0, 3)},
            lambda: {"anyOf": inner[:2]},
            lambda: {"allOf": inner[:2]},
            lambda: {"anyOf": [inner[0], {"type": "null"}]},
            lambda: {"$ref": f"#/components/schemas/{pick.choice(NAMES)}"},
        )
        return pick.choice(makers)()

    def changed(self, schema: Schema) -> Schema:
        """Change one part of a schema."""
        root = [copy.deepcopy(schema)]
        holder, key = self.random.choice(list(places(root, 0)))
        part = holder[key]
        holder[key] = self.random.choice(
            (self.schema(1), {"anyOf": [part, self.schema(0)]}, {"allOf": [part]}, self.schema(0))
        )
        alike = [other for other in SCALARS if types(other) & types(part)]
        if alike and self.random.random() < 0.5:
            holder[key] = copy.deepcopy(self.random.choice(alike))
        if isinstance(part, dict) and "properties" in part and self.random.random() < 0.6:
            fewer = {key: value for key, value in part.items() if key != "required"}
            holder[key] = self.random.choice((fewer, {**part, "required": ["x", "y"]}))
        return root[0]

    def value(self, schema: Schema, schemas: dict[str, Schema], depth: int = 5) -> Any:
        """Make a value that is likely accepted."""
        pick = self.random
        if depth == 0 or not isinstance(schema, dict) or pick.random() < 0.05:
            return pick.choice(VALUES)
        if "$ref" in schema:
            return self.value(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth - 1)
        for word in ("anyOf", "allOf"):
            if word in schema:
                return self.value(pick.choice(schema[word]), schemas, depth - 1)
        if "properties" in schema or "additionalProperties" in schema:
            named = schema.get("properties", {})
            kept = [name for name in named if name in schema.get("required", ()) or pick.random() < 0.6]
            found = {name: self.value(named[name], schemas, depth - 1) for name in kept}
            others = schema.get("additionalProperties", True)
            if others is not False and pick.random() < 0.3:
                found[pick.choice("wxyz")] = self.value(others, schemas, depth - 1)
            return found
        if "items" in schema:
            return [self.value(schema["items"], schemas, depth - 1) for _ in range(pick.randint(0, 3))]
        return pick.choice([*schema.get("enum", ()), schema.get("const", ""), *VALUES])


def types(schema: Schema) -> set[str]:
    named = schema.get("type", ()) if isinstance(schema, dict) else ()
    return {named} if isinstance(named, str) else set(named)


def places(holder: Any, key: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where each part of a schema is."""
    yield holder, key
    schema = holder[key]
    if isinstance(schema, dict):
        for name in schema.get("properties", ()):
            yield from places(schema["properties"], name)
        for word in ("items", "additionalProperties"):
            if isinstance(schema.get(word), dict):
                yield from places(schema, word)
        for word in ("anyOf", "allOf"):
            for number in range(len(schema.get(word, ()))):
                yield from places(schema[word], number)


def opened(schema: Schema) -> Schema:
    """Return what the contract makes of a schema of responses: other values in an enum, and other fields."""
    if isinstance(schema, list):
        return [opened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(values, list):
        kinds = {str: "string", bool: "boolean", int: "number", type(None): "null"}
        return {"type": sorted({kinds[type(value)] for value in values})}
    return {
        key: opened(value) for key, value in schema.items() if (key, value) != ("additionalProperties", False)
    }


@each_row("direction", ["request", "response"])
@each_row("seed", range(5))
def test_what_it_calls_harmless_is_accepted(seed: int, direction: Direction) -> None:
    maker = Maker(seed)
    judged = {True: 0, False: 0}
    for _ in range(150):
        inner = {name: maker.schema(1) for name in NAMES}
        # Objects, since one that is made of itself accepts nothing that could be tried.
        old, new = (
            {name: {"type": "object", "properties": {"x": schema}} for name, schema in each.items()}
            for each in (inner, {**inner, "A": maker.changed(inner["A"])})
        )
        old["root"] = maker.schema()
        new["root"] = maker.changed(old["root"])
        sides = [json.loads(json.dumps({"components": {"schemas": schemas}})) for schemas in (old, new)]
        schemas = [side["components"]["schemas"] for side in sides]
        comparison = SchemaComparison(Shapes(sides[0]), Shapes(sides[1]), direction)
        breaks = any(f.breaking for f in comparison.compare(schemas[0]["root"], schemas[1]["root"]))
        judged[breaks] += 1
        if breaks:
            continue
        narrow, wide = (0, 1) if direction == "request" else (1, 0)
        accepts = [
            Draft202012Validator({"$ref": "#/components/schemas/root", **side})
            for side in (sides[narrow], sides[wide] if direction == "request" else opened(sides[wide]))
        ]
        for _ in range(30):
            value = maker.value(schemas[narrow]["root"], schemas[narrow])
            if accepts[0].is_valid(value):
                assert accepts[1].is_valid(value), (value, *sides)
    # Neither is everything called a break, nor nothing.
    assert min(judged.values()) >= 20
