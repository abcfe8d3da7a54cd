"""Client → spec: whatever the arguments, every method of both clients sends a request that is valid."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_agent_api.api import AgentApi
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

from .agent_spec import FORM, JSON, OPERATIONS, Operation, each_method, fields, is_bytes
from .generated_values import generated, values
from .recorded_calls import CLIENTS, TOKEN, call
from .request_check import check_request, form_of, kinds_of

# What a method takes besides, for the client alone: `x-wait`.
OWN = {"wait", "timeout", "poll_interval"}


class SentError(Exception):
    """In place of an answer: nothing here looks at one."""


def sent(client: str, name: str, arguments: Mapping[str, Any], **options: Any) -> httpx.Request:
    """The request that a call sends."""
    requests: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        raise SentError

    with pytest.raises(Exception, match="SentError"):
        call(client, record, name, arguments, **options)
    (request,) = requests
    return request


# -- generated arguments


def arguments_of(operation: Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments for a method: all that are required, and any of the others."""

    def chosen(media_type: str | None) -> st.SearchStrategy[dict[str, Any]]:
        required: dict[str, st.SearchStrategy[Any]] = {}
        optional: dict[str, st.SearchStrategy[Any]] = {}
        for name, parameter in operation.parameters.items():
            target = required if parameter.get("required") else optional
            target[name] = _sendable(parameter)
        if media_type is not None:
            needed = operation.required_in(media_type)
            for name, schema in operation.body_arguments(media_type).items():
                target = required if name in needed else optional
                target[name] = st.binary() if is_bytes(media_type) else values(schema)
        return st.fixed_dictionaries(required, optional=optional)

    return st.one_of([chosen(media_type) for media_type in operation.bodies or (None,)])


def _sendable(parameter: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What a parameter may be, as far as its place can hold it."""
    schema = parameter["schema"]
    if (
        parameter["in"] == "query"
        or "pattern" in schema
        or "string" not in kinds_of(schema)
        or "format" in schema
    ):
        return values(schema)
    return values({**schema, "pattern": "^[a-z0-9]{1,20}$"})


def as_sent(name: str, value: Any) -> list[tuple[str, str]]:
    """A query parameter as it stands in a URL: each item of a list by itself."""
    if isinstance(value, list):
        return [pair for item in value for pair in as_sent(name, item)]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]


# -- the tests


def test_every_operation_is_a_method_and_every_generated_method_an_operation() -> None:
    documented = {name for operation in OPERATIONS for name in (*operation.names, *operation.several)}
    assert {name for name in dir(AgentApi) if not name.startswith("_")} == documented
    for kind in (AgentClient, AsyncAgentClient):
        assert documented <= set(dir(kind))


@each_method
def test_a_method_takes_what_the_operation_takes(operation: Operation, name: str) -> None:
    documented = set(operation.parameters).union(*map(operation.body_arguments, operation.bodies))
    required = {item for item, parameter in operation.parameters.items() if parameter.get("required")}
    if operation.bodies:
        required |= set.intersection(*map(operation.required_in, operation.bodies))
    for client in (AgentClient, AsyncAgentClient):
        signature = dict(inspect.signature(getattr(client, name)).parameters)
        del signature["self"]
        assert set(signature) - OWN == documented
        assert {item for item, value in signature.items() if value.default is value.empty} == required


@each_method
@generated
@given(data=st.data())
def test_every_request_is_valid(operation: Operation, name: str, data: st.DataObject) -> None:
    arguments = data.draw(arguments_of(operation), label="arguments")
    who = data.draw(
        st.fixed_dictionaries({}, optional={"user_token": st.just("user"), "tenant": st.just("acme")}),
        label="who",
    )
    first, second = (sent(client, name, arguments, **who) for client in CLIENTS)
    check_request(first, operation)
    assert first.headers["authorization"] == TOKEN
    assert first.headers.get("synapse-user") == ("Token user" if "user_token" in who else None)
    assert first.headers.get("synapse-tenant") == ("Token acme" if "tenant" in who else None)
    # The same from both clients, so that one check does for both.
    assert (second.method, second.url) == (first.method, first.url)
    if "file" not in arguments:
        assert (second.content, second.headers) == (first.content, first.headers)
    else:
        check_request(second, operation)


@each_method
def test_the_documented_examples_are_sent_as_documented(operation: Operation, name: str) -> None:
    for media_type in operation.bodies or (None,):
        arguments = operation.arguments(media_type)
        for client in CLIENTS:
            request = sent(client, name, arguments)
            check_request(request, operation)
            assert unquote(request.url.path) == operation.concrete()
            query = [
                pair
                for item, parameter in operation.place("query").items()
                for pair in as_sent(parameter["name"], arguments[item])
            ]
            assert sorted(request.url.params.multi_items()) == sorted(query)
            asked = {} if media_type is None else operation.body_arguments(media_type)
            body = {item: arguments[item] for item in asked}
            if media_type == JSON:
                sent_body = json.loads(request.content)
                whole = fields(operation.bodies[JSON]) is None
                assert (sent_body if whole else list(sent_body.values())) == (
                    body["body"] if whole else [value for value in body.values() if value is not None]
                )
            elif media_type == FORM:
                form, files = form_of(request, fields(operation.bodies[FORM]) or {})
                # What may be text is text in a form.
                assert form == {item: type(form[item])(body[item]) for item in form}
                assert form.keys() | files.keys() == body.keys()
                assert files == {item: body[item] for item in files}
