"""Values made from the spec's schemas, for hypothesis.

By hand, because the library for it, hypothesis-jsonschema, fails under a hypothesis as new as ours and needs
minutes for schemas such as these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from .agent_spec import AGAIN

__all__ = ["answers", "generated", "values"]

# The same values on every run; how long one takes is no matter of these tests.
generated: Callable[..., Any] = settings(max_examples=10, derandomize=True, deadline=None, database=None)

_TEXT = st.text(max_size=20)
_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema, one without references, allows."""
    return _values(schema, newer=False)


def answers(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What an agent newer than the schema may answer: enums gain values, objects gain fields."""
    return _values(schema, newer=True)


def _values(schema: Mapping[str, Any], *, newer: bool) -> st.SearchStrategy[Any]:
    def inner(part: Mapping[str, Any]) -> st.SearchStrategy[Any]:
        return _values(part, newer=newer)

    for choices in (schema.get("oneOf"), schema.get("anyOf")):
        if choices:
            return st.one_of([inner(choice) for choice in choices if AGAIN not in choice])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        known = st.sampled_from(schema["enum"])
        later = st.integers() if isinstance(schema["enum"][0], int) else _TEXT
        return known | later if newer else known
    match schema.get("type"):
        case None:
            return _ANYTHING
        case list(kinds):
            return st.one_of([inner({**schema, "type": kind}) for kind in kinds])
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            bounds = {"min_value": schema.get("minimum"), "max_value": schema.get("maximum")}
            return st.floats(**bounds, allow_nan=False, allow_infinity=False) | st.integers(*bounds.values())
        case "array":
            items = schema.get("items", {})
            return st.lists(inner(items), max_size=0 if AGAIN in items else 3)
        case "object":
            return _objects(schema, inner, newer=newer)
        case "string":
            return st.binary() if schema.get("format") == "binary" else _strings(schema)
        case other:
            raise AssertionError(f"no values for the type {other}")


def _strings(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), min(schema.get("maxLength", 20), 20)
    if schema.get("format") == "date":
        return st.dates().map(lambda day: day.isoformat())
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    if schema.get("format") == "date-time":
        return st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z")).filter(
            lambda text: least <= len(text) <= 100
        )
    return st.text(min_size=least, max_size=most)


def _objects(
    schema: Mapping[str, Any], inner: Callable[[Mapping[str, Any]], st.SearchStrategy[Any]], *, newer: bool
) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema.get("properties")
    if properties is None:
        further = schema.get("additionalProperties", {})
        further = further if isinstance(further, Mapping) else {}
        return st.dictionaries(_TEXT, inner(further), max_size=0 if AGAIN in further else 3)
    required = set(schema.get("required", ()))
    optional = {
        name: inner(part) for name, part in properties.items() if name not in required and AGAIN not in part
    }
    if newer:
        optional["added_later"] = _ANYTHING
    return st.fixed_dictionaries(
        {name: inner(properties[name]) for name in sorted(required)}, optional=optional
    )
