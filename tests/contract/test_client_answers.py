"""Client → spec: every documented answer, also a newer agent's, is read and given back as it came."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_agent_api.types import Model

from .agent_spec import AGAIN, TESTED, Answer, Operation, Schema, example
from .generated_values import answers, generated
from .recorded_calls import CLIENTS, call, given_back

SUCCESSES = [
    pytest.param(operation, name, answer, id=f"{name}-{answer.status}")
    for operation in TESTED
    for name in operation.names
    for answer in operation.successes
]
each_success = each_row(("operation", "name", "answer"), SUCCESSES)


def results(operation: Operation, name: str, answer: Answer, came: Any) -> list[Any]:
    """What both clients make of an answer."""

    def handler(request: httpx.Request) -> httpx.Response:
        if answer.schema is None:
            return httpx.Response(answer.status)
        assert answer.media_type is not None
        headers = {"Content-Type": answer.media_type}
        is_json = answer.media_type.endswith("json")
        content = json.dumps(came).encode() if is_json else came if isinstance(came, bytes) else came.encode()
        return httpx.Response(answer.status, content=content, headers=headers)

    return [call(client, handler, name, operation.arguments(optional=False)) for client in CLIENTS]


def check_typed(result: Any, came: Any, schema: Schema | None) -> None:
    """Every property of the schema is an attribute that says what came, or None where nothing did."""
    if schema is None or came is None:
        assert result is None
        return
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices and not isinstance(result, str | int | float):
        others = [choice for choice in choices if choice.get("type") != "null"]
        if len(others) > 1:
            # Which of them it is, is for the evolutions to say.
            assert given_back(result) == came
            return
        (schema,) = others
    if isinstance(came, dict) and "properties" in schema:
        assert isinstance(result, Model)
        assert set(type(result)._names.values()) == set(schema["properties"])
        for attribute, name in type(result)._names.items():
            check_typed(getattr(result, attribute), came.get(name), schema["properties"][name])
    elif isinstance(came, list) and "items" in schema:
        assert len(result) == len(came)
        for item, item_came in zip(result, came, strict=True):
            check_typed(item, item_came, schema["items"])
    elif isinstance(came, dict) and isinstance(schema.get("additionalProperties"), Mapping):
        assert result.keys() == came.keys()
        for key, item_came in came.items():
            check_typed(result[key], item_came, schema["additionalProperties"])
    elif isinstance(result, datetime.date):
        assert result == type(result).fromisoformat(came)
    else:
        assert not isinstance(result, Model)
        assert result == came


def whole(schema: Schema, change: str) -> Any:
    """A value with every property in it, changed in one way in every place."""
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        kept = next((choice for choice in choices if AGAIN not in choice), {})
        can_be_null = any("null" in choice.get("type", ()) for choice in choices)
        return None if change == "null" and can_be_null else whole(kept, change)
    kinds = schema.get("type", [])
    if change == "null" and "null" in kinds:
        return None
    if "enum" in schema:
        later = 99 if isinstance(schema["enum"][-1], int) else "ADDED_LATER"
        return later if change == "new enum values" else schema["enum"][-1]
    if isinstance(schema.get("properties"), Mapping):
        required = schema.get("required", ())
        value = {
            name: whole(part, change)
            for name, part in schema["properties"].items()
            if AGAIN not in part and (change != "only what is required" or name in required)
        }
        return value | {"added_later": {"x": [1]}} if change == "new fields" else value
    if (
        isinstance(schema.get("additionalProperties"), Mapping)
        and "properties" in schema["additionalProperties"]
    ):
        return {"one": whole(schema["additionalProperties"], change)}
    if "properties" in schema.get("items", {}):
        return [whole(schema["items"], change)] * 2
    return example(schema)


@each_success
def test_the_documented_example_is_read_and_given_back(
    operation: Operation, name: str, answer: Answer
) -> None:
    for result in results(operation, name, answer, answer.example):
        assert given_back(result) == answer.example
        check_typed(result, answer.example, answer.schema)


@each_row("change", ["none", "only what is required", "null", "new enum values", "new fields"])
@each_success
def test_what_a_newer_or_sparing_agent_answers_is_read(
    operation: Operation, name: str, answer: Answer, change: str
) -> None:
    came = answer.example if isinstance(answer.example, bytes) else None
    if came is None and answer.schema is not None:
        came = whole(answer.schema, change)
    for result in results(operation, name, answer, came):
        assert given_back(result) == came
        check_typed(result, came, answer.schema)


@each_success
@generated
@given(data=st.data())
def test_any_answer_that_the_schema_allows_is_read(
    operation: Operation, name: str, answer: Answer, data: st.DataObject
) -> None:
    came: Any = None
    if isinstance(answer.example, bytes):
        came = data.draw(st.binary(), label="answer")
    elif answer.schema is not None:
        came = data.draw(answers(answer.schema), label="answer")
    for result in results(operation, name, answer, came):
        assert given_back(result) == came
        check_typed(result, came, answer.schema)
