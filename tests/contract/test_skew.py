"""Skew: this client against agents that are older or newer than it, made by mutating the spec."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from tables import each_row

from synapse_agent_api.types import Model, OpenStrEnum
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientError, HTTPError, NotFoundError, ServerError, ValidationError

from .agent_spec import OPERATIONS, RAW, SERVER, Operation, each_operation, target_of
from .recorded_calls import CLIENTS, TOKEN, call, given_back
from .spec_agent import NO_METHOD, ROUTERS, SpecAgent

each_client = each_row("client", CLIENTS)
WITH_RESULT = [operation for operation in OPERATIONS if operation.successes[0].schema is not None]
BODIES = [operation for operation in OPERATIONS if operation.bodies and operation.method != "PATCH"]


def mutated(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    spec = copy.deepcopy(RAW)
    change(spec)
    return spec


def asked(client: str, agent: Callable[[httpx.Request], httpx.Response], operation: Operation) -> Any:
    return call(client, agent, operation.id, operation.arguments(optional=False))


# Which operation answers with which schema


def _references(node: Any) -> Iterator[str]:
    todo, seen = [node], set[str]()
    while todo:
        node = todo.pop()
        if isinstance(node, Mapping):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                todo.append(target_of(reference))
                if reference.startswith("#/components/schemas/"):
                    yield reference.rpartition("/")[2]
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _answering() -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for operation in OPERATIONS:
        raw = RAW["paths"][operation.path][operation.method.lower()]
        first = next(answer for status, answer in raw["responses"].items() if status.startswith("2"))
        for name in _references(first):
            found.setdefault(name, operation)
    return found


ANSWERING = _answering()
SCHEMAS: Mapping[str, Any] = RAW["components"]["schemas"]
MODELS = [name for name in ANSWERING if "properties" in SCHEMAS[name]]
FIELDS = [(name, field) for name in MODELS for field in SCHEMAS[name]["properties"]]
ENUMS = [name for name in ANSWERING if "enum" in SCHEMAS[name]]
each_field = each_row(("name", "field"), FIELDS, ids=[".".join(field) for field in FIELDS])


def without_examples(spec: dict[str, Any], name: str) -> Any:
    """The schema, and its operation's answer made of it rather than a fixed example."""
    operation = ANSWERING[name]
    raw = spec["paths"][operation.path][operation.method.lower()]
    for answer in raw["responses"].values():
        for media in answer.get("content", {}).values():
            media.pop("example", None)
    return spec["components"]["schemas"][name]


def models(value: Any, name: str) -> Iterator[Model]:
    """The models of one name in a result, at any depth."""
    if isinstance(value, Model):
        if type(value).__name__ == name:
            yield value
        for attribute in type(value)._names:
            yield from models(getattr(value, attribute), name)
    elif isinstance(value, list):
        for item in value:
            yield from models(item, name)
    elif isinstance(value, dict):
        for item in value.values():
            yield from models(item, name)


def attribute_of(model: Model, field: str) -> Any:
    (attribute,) = [name for name, wire in type(model)._names.items() if wire == field]
    return getattr(model, attribute)


# Older agents


@each_client
@each_row("router", ROUTERS)
@each_operation
def test_an_agent_without_the_path_is_said_to_lack_the_operation(
    operation: Operation, router: str, client: str
) -> None:
    agent = SpecAgent(mutated(lambda spec: spec["paths"].pop(operation.path)), router=router)
    with pytest.raises(NotFoundError) as caught:
        asked(client, agent, operation)
    lacks = f"this agent has no {operation.method} {operation.path.removeprefix('/')}"
    assert caught.value.status_code == 404
    assert lacks in str(caught.value)
    # Only where a path without parameters is asked for is there no other reading.
    certain = "{" not in operation.path or router == "ours"
    assert ("there is no such thing, or" not in str(caught.value)) is certain


@each_client
@each_row("router", NO_METHOD)
@each_operation
def test_an_agent_without_the_method_is_said_to_lack_the_operation(
    operation: Operation, router: str, client: str
) -> None:
    def change(spec: dict[str, Any]) -> None:
        item = spec["paths"][operation.path]
        item["trace"] = item.pop(operation.method.lower())

    with pytest.raises(HTTPError) as caught:
        asked(client, SpecAgent(mutated(change), router=router), operation)
    assert caught.value.status_code == 405
    assert f"(this agent has no {operation.method} {operation.path.removeprefix('/')}: " in str(caught.value)


@each_row(
    ("status", "body"),
    [
        (404, {"detail": "no such job"}),
        (404, {"detail": "Not Found", "error_type": "job_not_found"}),
        (404, {"message": "Job train-42 not found"}),
        (404, {"detail": "there is no job train-42"}),
        (404, {"detail": [{"loc": ["path"], "msg": "Not Found", "type": "x"}]}),
        (404, "<html>404</html>"),
        (410, {"detail": "Not Found"}),
    ],
)
def test_a_thing_that_is_not_there_is_no_lacking_operation(status: int, body: Any) -> None:
    def agent(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(status, json=body) if isinstance(body, dict) else httpx.Response(status, html=body)
        )

    with pytest.raises(HTTPError) as caught:
        call("sync", agent, "get_job", {"job_id": "train-42"})
    assert "this agent has no" not in str(caught.value)


def test_a_free_request_has_no_operation_to_lack() -> None:
    with (
        httpx.Client(transport=httpx.MockTransport(SpecAgent(RAW))) as http,
        AgentClient(SERVER, TOKEN, http_client=http, max_retries=0) as client,
        pytest.raises(NotFoundError) as caught,
    ):
        client.request("GET", "actors/")
    assert "this agent has no" not in str(caught.value)


@each_field
def test_a_field_that_an_older_agent_lacks_reads_as_none(name: str, field: str) -> None:
    def change(spec: dict[str, Any]) -> None:
        schema = without_examples(spec, name)
        del schema["properties"][field]

    result = asked("sync", SpecAgent(mutated(change)), ANSWERING[name])
    found = list(models(result, name))
    assert found
    for model in found:
        assert attribute_of(model, field) is None
        assert field not in model


@each_client
@each_row("operation", BODIES, ids=lambda operation: operation.id)
def test_a_body_s_field_that_an_older_agent_does_not_know(operation: Operation, client: str) -> None:
    arguments = operation.arguments()
    arguments.pop("file", None)
    raw = RAW["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
    (name,) = [name for name in _references(raw) if name.endswith("Request")]
    optional = set(SCHEMAS[name]["properties"]) - set(SCHEMAS[name].get("required", ()))

    def change(spec: dict[str, Any]) -> None:
        for field in optional:
            del spec["components"]["schemas"][name]["properties"][field]

    # It ignores what it doesn't know, or names it.
    call(client, SpecAgent(mutated(change)), operation.id, arguments)
    if optional:
        with pytest.raises(ValidationError) as caught:
            call(client, SpecAgent(mutated(change), strict=True), operation.id, arguments)
        assert {error["loc"][-1] for error in caught.value.field_errors} == optional


# Newer agents


@each_row("name", MODELS)
def test_a_field_that_a_newer_agent_adds_is_kept(name: str) -> None:
    added = {"type": "object", "description": "New.", "example": {"deep": [1, None]}}

    def change(spec: dict[str, Any]) -> None:
        without_examples(spec, name)["properties"]["added_later"] = added

    agent = SpecAgent(mutated(change))
    result = asked("sync", agent, ANSWERING[name])
    found = list(models(result, name))
    assert found
    for model in found:
        assert model["added_later"] == model.get("added_later") == added["example"]
        assert model.to_dict()["added_later"] == added["example"]
    assert given_back(result) is not None


@each_row("name", ENUMS)
def test_an_enum_value_that_a_newer_agent_adds_is_its_string(name: str) -> None:
    def change(spec: dict[str, Any]) -> None:
        without_examples(spec, name)["enum"].append("ADDED_LATER")

    result = asked("sync", SpecAgent(mutated(change)), ANSWERING[name])

    def values(value: Any) -> Iterator[OpenStrEnum]:
        if isinstance(value, OpenStrEnum):
            yield value
        elif isinstance(value, Model):
            for attribute in type(value)._names:
                yield from values(getattr(value, attribute))
        elif isinstance(value, list | dict):
            for item in value.values() if isinstance(value, dict) else value:
                yield from values(item)

    found = [value for value in values(result) if type(value).__name__ == name]
    assert found
    assert all(value == "ADDED_LATER" and str(value) == "ADDED_LATER" for value in found)


@each_row("becomes", [None, 7, {"a": {"b": 1}}], ids=repr)
@each_field
def test_a_field_that_a_newer_agent_makes_something_else_is_kept(name: str, field: str, becomes: Any) -> None:
    def change(spec: dict[str, Any]) -> None:
        without_examples(spec, name)["properties"][field] = {"example": becomes}

    result = asked("sync", SpecAgent(mutated(change)), ANSWERING[name])
    found = list(models(result, name))
    assert found
    for model in found:
        assert model[field] == becomes
        assert given_back(attribute_of(model, field)) == becomes or becomes == {"a": {"b": 1}}


@each_client
@each_row("status", [201, 203])
@each_row("operation", WITH_RESULT, ids=lambda operation: operation.id)
def test_a_success_of_another_status_is_read(operation: Operation, status: int, client: str) -> None:
    usual = asked(client, SpecAgent(RAW), operation)
    assert asked(client, SpecAgent(RAW, status=status), operation) == usual


@each_client
@each_row(
    ("status", "error"),
    [
        (402, HTTPError),
        (409, HTTPError),
        (418, HTTPError),
        (451, HTTPError),
        (507, ServerError),
        (599, ServerError),
    ],
)
def test_an_error_of_another_status_and_form(status: int, error: type[ClientError], client: str) -> None:
    body = {"type": "https://example.org/quota", "title": "Over quota", "status": status, "detail": "3 of 3"}

    def agent(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})

    with pytest.raises(error, match="3 of 3") as caught:
        call(client, agent, "get_job", {"job_id": "train-42"})
    assert (caught.value.status_code, caught.value.body) == (status, body)


@each_client
@each_row("operation", BODIES, ids=lambda operation: operation.id)
def test_a_field_that_a_newer_agent_requires_is_named(operation: Operation, client: str) -> None:
    def change(spec: dict[str, Any]) -> None:
        for schema in spec["components"]["schemas"].values():
            if "properties" in schema:
                schema["properties"]["needed"] = {"type": "string", "example": "x"}
                schema["required"] = [*schema.get("required", []), "needed"]

    arguments = operation.arguments()
    arguments.pop("file", None)
    with pytest.raises(ValidationError, match=r"body\.needed: Field required") as caught:
        call(client, SpecAgent(mutated(change)), operation.id, arguments)
    assert caught.value.status_code == 422
    assert [error["loc"] for error in caught.value.field_errors] == [["body", "needed"]]


def test_an_operation_that_a_newer_agent_adds_is_in_reach() -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["paths"]["/actors/"] = spec["paths"]["/nodes/"]

    with (
        httpx.Client(transport=httpx.MockTransport(SpecAgent(mutated(change)))) as http,
        AgentClient(SERVER, TOKEN, http_client=http) as client,
    ):
        (actor,) = client.request("GET", "actors/")
        assert actor["node_id"]


EVENTS = (
    '{"type": "connected", "protocol": 7}',
    '{"type": "log", "message": "one", "level": "INFO"}',
    '{"type": "progress", "percent": 3}',
    '{"type": "notice", "message": "two"}',
    '{"type": {"odd": 1}, "percent": 4}',
    '{"type": "log", "message": "three"}',
    '{"type": "complete", "status": "ARCHIVED", "took": 3}',
)


def test_events_that_a_newer_agent_adds() -> None:
    def agent(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/jobs/train-42/logs/stream/"
        content = "".join(f"data: {event}\n\n" for event in EVENTS)
        return httpx.Response(200, content=content.encode(), headers={"Content-Type": "text/event-stream"})

    with (
        httpx.Client(transport=httpx.MockTransport(agent)) as http,
        AgentClient(SERVER, TOKEN, http_client=http) as client,
        client.tail_job_logs("train-42", protocol="http") as stream,
    ):
        # One with a text is text, and any other is left out.
        assert list(stream) == ["one", "two", "three"]
        assert stream.job_status == "ARCHIVED"
