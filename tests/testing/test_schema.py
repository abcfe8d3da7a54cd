"""The check of requests agrees with jsonschema, whatever is sent."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tables import each_row

from synapse_agent_api.requests import REQUESTS
from synapse_sdk.testing._schema import from_text, problems

BODIES = {
    (operation, kind): schema
    for operation, request in REQUESTS.items()
    for kind, schema in request["bodies"].items()
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats(-5, 200).map(lambda x: round(x, 1))
    | st.sampled_from(["", "job", "serve", "code_server", "a-b_1", "no id", "x" * 101, "é"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


def bodies(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Bodies with the schema's own fields in them, one of which mostly is as it should be."""
    found = next((item for item in (schema, *schema.get("oneOf", ())) if "properties" in item), schema)
    fields = {name: VALUES | st.sampled_from([1, "a", {}, True]) for name in found["properties"]}
    needed = {name: fields.pop(name) for name in found.get("required", ()) if name in fields}
    return (
        st.fixed_dictionaries(needed, optional=fields) | st.fixed_dictionaries({}, optional=needed) | VALUES
    )


@each_row("key", BODIES, ids=" ".join)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_it_takes_what_jsonschema_takes(key: tuple[str, str], data: st.DataObject) -> None:
    schema = BODIES[key]
    body = data.draw(bodies(schema))
    found = list(problems(schema, body, ("body",)))
    assert (not found) is Draft202012Validator(schema).is_valid(body), found
    for problem in found:
        assert problem["loc"][0] == "body"  # type: ignore[index]
        assert set(problem) == {"loc", "msg", "type", "input"}


@each_row(
    ("schema", "value", "taken"),
    [
        ({"type": "string", "pattern": "^[a-z]+$"}, "abc\n", False),
        ({"type": "integer", "format": "int64"}, 2**63 - 1, True),
        ({"type": "integer", "format": "int64"}, 2**63, False),
        ({"type": "string", "format": "binary"}, b"PK", True),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], False),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, False),
        ({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}, -1, False),
    ],
)
def test_what_jsonschema_leaves_open(schema: dict[str, Any], value: Any, taken: bool) -> None:
    assert (not list(problems(schema, value, ("body",)))) is taken


@each_row(
    ("kind", "text", "value"),
    [
        ("integer", "12", 12),
        ("integer", "twelve", "twelve"),
        ("integer", "1.0", "1.0"),
        ("boolean", "true", True),
        ("boolean", "0", False),
        ("boolean", "yes", "yes"),
        ("string", "1", "1"),
    ],
)
def test_texts_of_a_query_are_read(kind: str, text: str, value: object) -> None:
    assert from_text({"type": kind}, text) == value
