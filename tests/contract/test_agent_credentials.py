"""Agent → spec: what the spec's security lets in is let in, and nothing else, on every operation."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from running_agent import RunningAgent

from .agent_spec import OPERATIONS, RAW, Operation, check_answer, each_operation

HEADERS = {name: scheme["name"] for name, scheme in RAW["components"]["securitySchemes"].items()}
WRONG = ["", "wrong", "Bearer", "Bearer {}x", "Token {}", "{}x"]


@pytest.fixture(scope="module")
def http(agent: RunningAgent) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=agent.url, timeout=60) as http:
        yield http


@each_operation
def test_what_the_spec_lets_in_is_let_in(
    agent: RunningAgent, http: httpx.Client, operation: Operation
) -> None:
    values = {"agentToken": agent.token, "userToken": "Token user", "tenant": "Token acme"}
    for alternative in operation.security:
        headers = {HEADERS[scheme]: values[scheme] for scheme in alternative}
        response = http.request(operation.method, operation.concrete(), headers=headers)
        assert response.status_code not in (401, 403), alternative
        assert check_answer(response) is operation


@each_operation
def test_nothing_else_is_let_in(agent: RunningAgent, operation: Operation) -> None:
    # Each operation from an address of its own, since an address with many failed tries is answered late.
    address = f"127.0.1.{1 + OPERATIONS.index(operation)}"
    with httpx.Client(base_url=agent.url, transport=httpx.HTTPTransport(local_address=address)) as http:
        for wrong in (None, *WRONG):
            headers = {} if wrong is None else {"Authorization": wrong.format(agent.token)}
            response = http.request(operation.method, operation.concrete(), headers=headers)
            assert response.status_code == 401
            assert check_answer(response) is operation
            assert agent.token not in response.text


def test_the_scheme_bearer_is_let_in(agent: RunningAgent, http: httpx.Client) -> None:
    for scheme in ("Bearer", "bearer"):
        response = http.get("/health/", headers={"Authorization": f"{scheme} {agent.token}"})
        assert response.status_code == 200
