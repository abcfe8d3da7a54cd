"""Client → spec: the methods that are more than one operation send only requests that the spec has.

Waiting, walking pages, raw answers and free requests, over a transport that checks each request and answers
what the spec documents for it.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import httpx
from tables import each_row

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

from .agent_spec import OPERATIONS, SERVER, Operation, check_answer, each_method, operation_at
from .recorded_calls import CLIENTS, TOKEN, given_back
from .request_check import check_request

BY_ID = {operation.id: operation for operation in OPERATIONS}

# Where the documented example is not the end of it.
OVER = {
    "get_job": {"status": "SUCCEEDED"},
    "get_build_status": {"status": "completed"},
    "get_system_status": {"in_progress": False},
    "list_plugin_releases": {"next": None},
    "list_containers": {"next": None},
}

ARGUMENTS = {
    "wait_for_job": ["train-42"],
    "wait_for_build": ["build-3f9a"],
    "wait_for_system_ready": [],
    "iter_plugin_releases": [],
    "iter_containers": [],
    "iter_jobs": [],
}
ASKED = {
    "wait_for_job": {"get_job"},
    "wait_for_build": {"get_build_status"},
    "wait_for_system_ready": {"get_system_status"},
    "iter_plugin_releases": {"list_plugin_releases"},
    "iter_containers": {"list_containers"},
    "iter_jobs": {"list_jobs"},
}


class DocumentedAgent:
    """Checks each request, and answers the documented example of what is over."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        operation = operation_at(request.method, path)
        check_request(request, operation)
        self.asked.append(operation.id)
        self.requests.append(request)
        answer = operation.successes[-1]
        body = b""
        if answer.schema is not None:
            over = OVER.get(operation.id)
            body = json.dumps(answer.example | over if over else answer.example).encode()
        headers = {"Content-Type": answer.media_type} if answer.media_type else {}
        response = httpx.Response(answer.status, content=body, headers=headers, request=request)
        assert check_answer(response) is operation
        return response


def run(client: str, agent: DocumentedAgent, use: Any) -> Any:
    """What `use` makes of a client: a value, an awaitable, or something to iterate."""
    transport = httpx.MockTransport(agent)
    if client == "sync":
        with httpx.Client(transport=transport) as http, AgentClient(SERVER, TOKEN, http_client=http) as sync:
            found = use(sync)
            return list(found) if inspect.isgenerator(found) else found

    async def awaited() -> Any:
        async with (
            httpx.AsyncClient(transport=transport) as http,
            AsyncAgentClient(SERVER, TOKEN, http_client=http) as asynchronous,
        ):
            found = use(asynchronous)
            return [item async for item in found] if inspect.isasyncgen(found) else await found

    return asyncio.run(awaited())


@each_row("client", CLIENTS)
@each_row("name", ARGUMENTS)
def test_waiting_and_walking_ask_for_what_is_documented(client: str, name: str) -> None:
    agent = DocumentedAgent()
    found = run(client, agent, lambda client: getattr(client, name)(*ARGUMENTS[name]))
    assert ASKED[name] <= set(agent.asked)
    (asked,) = ASKED[name]
    example = BY_ID[asked].successes[0].example
    if asked in OVER:
        example |= OVER[asked]
    match name:
        case "iter_plugin_releases" | "iter_containers":
            assert given_back(found) == example["results"]
        case "wait_for_build":
            assert given_back(found) in (example, example["result"])
        case _:
            assert given_back(found) == example


@each_row("client", CLIENTS)
@each_row("name", ["create_container", "create_docker_container", "update_system", "restart_system"])
def test_an_operation_that_waits_asks_for_what_is_documented(client: str, name: str) -> None:
    agent = DocumentedAgent()
    arguments = BY_ID[name].arguments()
    run(client, agent, lambda client: getattr(client, name)(**arguments, wait=True))
    assert agent.asked[0] == name
    assert set(agent.asked[1:]) <= {"get_build_status", "get_container", "get_system_status", "health_check"}
    assert len(agent.asked) > 1


def test_every_method_that_waits_is_tested_above() -> None:
    waiting = {name for name in dir(AgentClient) if name.startswith(("wait_", "iter_"))}
    assert waiting == set(ARGUMENTS)


@each_row("client", CLIENTS)
@each_method
def test_a_raw_answer_is_what_was_answered(client: str, operation: Operation, name: str) -> None:
    agent = DocumentedAgent()
    arguments = operation.arguments(optional=False)
    raw = run(client, agent, lambda client: getattr(client.with_raw_response, name)(**arguments))
    assert agent.asked == [operation.id]
    answer = operation.successes[-1]
    assert raw.status_code == answer.status
    assert raw.headers.get("content-type") == answer.media_type
    if answer.schema is not None:
        over = OVER.get(operation.id)
        expected = answer.example | over if over else answer.example
        assert json.loads(raw.content) == expected == given_back(raw.parsed)


@each_row("client", CLIENTS)
@each_method
def test_a_free_request_is_what_the_method_sends(client: str, operation: Operation, name: str) -> None:
    method, free = DocumentedAgent(), DocumentedAgent()
    arguments = operation.arguments()
    run(client, method, lambda client: getattr(client, name)(**arguments))
    (request,) = method.requests
    given: dict[str, Any] = {"params": dict(request.url.params)} if request.url.params else {}
    if request.content:
        given["json"] = json.loads(request.content)
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/")
    run(client, free, lambda client: client.request(operation.method, path, **given))
    (same,) = free.requests
    assert (same.method, same.url, same.content) == (request.method, request.url, request.content)
    # It may be for text as well.
    assert "application/json" in same.headers["accept"]
    del same.headers["accept"], request.headers["accept"]
    assert same.headers == request.headers
