"""Client → spec: every documented error is raised as the class that the method's docstring names."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_agent_api.api import AgentApi
from synapse_sdk.clients import exceptions
from synapse_sdk.clients.agent import AgentClient

from .agent_spec import TESTED, Answer, Operation
from .generated_values import generated, values
from .recorded_calls import CLIENTS, call

# The contract's table, for those statuses that agents answer.
CLASSES = {
    400: exceptions.ValidationError,
    401: exceptions.AuthenticationError,
    403: exceptions.AuthorizationError,
    404: exceptions.NotFoundError,
    409: exceptions.HTTPError,
    416: exceptions.HTTPError,
    422: exceptions.ValidationError,
    429: exceptions.RateLimitError,
    500: exceptions.ServerError,
    501: exceptions.ServerError,
    503: exceptions.ServerError,
}

ERRORS = [
    pytest.param(operation, name, answer, id=f"{name}-{answer.status}")
    for operation in TESTED
    for name in operation.names
    for answer in operation.errors
]
each_error = each_row(("operation", "name", "answer"), ERRORS)
# One operation shows what bodies do; the classes of the others are those of their examples.
ONE_OF_EACH = list({answer.values[2].status: answer for answer in ERRORS}.values())


def documented(name: str, status: int) -> set[str]:
    """The classes that a method's docstring names for a status, or else that of all methods' class."""
    for doc in (getattr(AgentClient, name).__doc__, AgentApi.__doc__):
        if found := set(re.findall(rf"^\s*(\w+): {status},", doc or "", re.MULTILINE)):
            return found
    return set()


def raised(operation: Operation, name: str, answer: Answer, body: Any) -> list[exceptions.ClientError]:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            answer.status, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )

    errors: list[exceptions.ClientError] = []
    for client in CLIENTS:
        with pytest.raises(exceptions.ClientError) as caught:
            call(client, handler, name, operation.arguments(optional=False))
        errors.append(caught.value)
    return errors


def expected(status: int, body: Any) -> type[exceptions.ClientError]:
    gpu = isinstance(body, dict) and body.get("error_type") == "gpu_unavailable"
    other = exceptions.ServerError if status >= 500 else exceptions.HTTPError
    return exceptions.GpuUnavailableError if gpu else CLASSES.get(status, other)


@each_error
def test_a_documented_error_raises_the_documented_class(
    operation: Operation, name: str, answer: Answer
) -> None:
    kind = expected(answer.status, answer.example)
    assert {kind.__name__} == documented(name, answer.status)
    assert answer.error_class in (None, kind.__name__)
    for error in raised(operation, name, answer, answer.example):
        assert type(error) is kind
        assert error.status_code == answer.status
        if answer.example is None:
            continue
        assert error.detail == (answer.example.get("detail") or answer.example["message"])
        assert error.body == answer.example


@each_row(("operation", "name", "answer"), ONE_OF_EACH)
@generated
@given(data=st.data())
def test_any_body_that_the_schema_allows_raises_it(
    operation: Operation, name: str, answer: Answer, data: st.DataObject
) -> None:
    assert answer.schema is not None
    body = data.draw(values(answer.schema), label="body")
    for error in raised(operation, name, answer, body):
        assert type(error) is expected(answer.status, body)
        assert error.status_code == answer.status
        assert str(error)


@each_row("name", [name for operation in TESTED for name in operation.names])
def test_no_other_status_is_documented_than_the_operation_has(name: str) -> None:
    operation = next(operation for operation in TESTED if name in operation.names)
    own, common = (
        {int(status) for status in re.findall(r"^\s*\w+(?:Error): (\d{3}),", doc or "", re.MULTILINE)}
        for doc in (getattr(AgentClient, name).__doc__, AgentApi.__doc__)
    )
    errors = {answer.status for answer in operation.errors}
    # 408 is the client's own. What the class of all methods says holds for each of them.
    assert own - {408} <= errors <= own | common
