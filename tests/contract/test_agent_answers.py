"""Agent → spec: what an agent, the real and the fake, answers to an operation is what the spec has for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
import pytest
from running_agent import RunningAgent
from tables import each_row

from synapse_agent.routes import ROUTES
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import HTTPError

from .agent_spec import OPERATIONS, TESTED, Operation, check_answer, each_operation, fields, operation_at
from .agent_world import PLUGIN, RELEASE

SLEEPING = {"job_main": "import time\ndef main(): time.sleep(20)\n"}
# What is not called with the documented examples.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "create_plugin_release": {"plugin": PLUGIN, "version": "1.0.0"},
    "create_container": {"plugin_release": "detector@1.0.0"},
    "run_plugin_release": {"lookup": RELEASE, "action": "ask", "params": {"text": "to be"}},
    "run_debug_plugin_release": {"action": "job_main", "modules": SLEEPING},
}
# In this order, so that each has what it needs.
FIRST = ("delete_plugin_release", "create_plugin_release", "run_plugin_release", "run_debug_plugin_release")
LAST = "delete_serve_application"

Answers = Mapping[str, list[httpx.Response]]


def test_the_agent_has_the_routes_that_the_spec_has() -> None:
    documented = {(operation.method, operation.path, operation.id) for operation in OPERATIONS}
    assert {(route.method, route.path, route.operation) for route in ROUTES} == documented


@pytest.fixture(scope="module")
def answers(agent: RunningAgent, world: dict[str, Any]) -> Answers:
    """All answers of the agent, by operation, after each was called with what is there and what is not."""
    found: dict[str, list[httpx.Response]] = defaultdict(list)

    def keep(response: httpx.Response) -> None:
        response.read()
        path = response.request.url.raw_path.decode().partition("?")[0]
        found[operation_at(response.request.method, path).id].append(response)

    others = [operation.id for operation in OPERATIONS if operation.id not in (*FIRST, LAST)]
    needed = {operation.id for operation in TESTED}
    if "stop_job" in needed:
        needed.add("run_debug_plugin_release")
    if "create_plugin_release" in needed:
        needed.add("delete_plugin_release")
    operations = {operation.id: operation for operation in OPERATIONS}
    http = httpx.Client(event_hooks={"response": [keep]}, timeout=60)
    with http, AgentClient(agent.url, agent.token, http_client=http, timeout=60, max_retries=0) as client:
        for name in (*FIRST, *others, LAST):
            operation = operations[name]
            if name not in needed:
                continue
            if name == "stop_job":
                job_id = found["run_debug_plugin_release"][0].json()["job_id"]
                if agent.fake is None:  # its jobs start when the test says so
                    agent.wait(job_id, "RUNNING", "SUCCEEDED", timeout=180)  # before that none can be stopped
                world = world | {"job_id": job_id}
            arguments = ARGUMENTS.get(name) or operation.arguments(optional=False)
            arguments |= {
                item: world.get(f"{name}.{item}", world[item])
                for item in operation.parameters
                if item in world
            }
            for given in (arguments, *absent(operation, arguments)):
                # What it is, the tests look at.
                with suppress(HTTPError):
                    getattr(client, name)(**given)
    return found


def absent(operation: Operation, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Arguments for what is not there, where there may be such."""
    nothing = {name: "no@such" if name in ("name", "lookup") else "none" for name in operation.place("path")}
    return [arguments | nothing] if nothing else []


@each_operation
def test_every_answer_is_valid(answers: Answers, operation: Operation) -> None:
    assert answers[operation.id]
    for response in answers[operation.id]:
        assert check_answer(response) is operation


@each_operation
def test_every_operation_does_what_it_says_or_has_no_machinery(
    answers: Answers, operation: Operation
) -> None:
    statuses = [response.status_code for response in answers[operation.id]]
    documented = {answer.status for answer in operation.successes}
    assert documented & set(statuses) or set(statuses) <= {501, 503}, statuses


# Where each default may change the answer: (operation, parameter).
DEFAULTS = [
    pytest.param(operation, name, schema["default"], id=f"{operation.id}-{name}")
    for operation in TESTED
    for name, schema in (
        *((name, parameter["schema"]) for name, parameter in operation.place("query").items()),
        *(item for body in operation.bodies.values() for item in fields(body)["properties"].items()),
    )
    if "default" in schema
]


@each_row(("operation", "name", "default"), DEFAULTS)
def test_a_documented_default_is_the_agents(
    agent: RunningAgent, world: dict[str, Any], operation: Operation, name: str, default: object
) -> None:
    arguments = operation.arguments(optional=False) | world
    body = {item: arguments[item] for item in arguments if item not in (*operation.parameters, *world)}
    query, answers = operation.place("query"), []
    for given in ({}, {name: default}):
        response = agent.http.request(
            operation.method,
            operation.concrete(**world),
            params={item: str(value).lower() for item, value in given.items() if item in query},
            json=body | {item: value for item, value in given.items() if item not in query} or None,
        )
        assert response.is_success or response.status_code == 501, response.text
        answers.append(response.json())
    without, with_default = answers
    if "collected_at" in without:
        # The snapshot is one from the cache, if it is taken from there.
        assert without["collected_at"] == with_default["collected_at"]
    assert without == with_default
