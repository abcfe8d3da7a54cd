"""Client → someone else's server: Prism, made from the spec, takes the request of every method."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tables import each_row

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import AuthenticationError

from .agent_spec import FORM, Operation, each_method
from .mock_server import VIOLATIONS, mock_server
from .recorded_calls import CLIENTS, TOKEN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with mock_server() as url:
        yield url


def violations(response: httpx.Response) -> Any:
    return json.loads(response.headers.get(VIOLATIONS, "[]"))


def called(client: str, server: str, name: str, arguments: dict[str, Any]) -> httpx.Response:
    """The answer to a call."""
    answers: list[httpx.Response] = []

    async def keep(response: httpx.Response) -> None:
        answers.append(response)

    options = {"user_token": "user", "tenant": "acme", "max_retries": 0, "timeout": 30}
    if client == "sync":
        with (
            httpx.Client(event_hooks={"response": [answers.append]}) as http,
            AgentClient(server, TOKEN, http_client=http, **options) as agent,
        ):
            getattr(agent, name)(**arguments)
    else:

        async def awaited() -> None:
            async with (
                httpx.AsyncClient(event_hooks={"response": [keep]}) as http,
                AsyncAgentClient(server, TOKEN, http_client=http, **options) as agent,
            ):
                await getattr(agent, name)(**arguments)

        asyncio.run(awaited())
    (answer,) = answers
    return answer


@each_row("client", CLIENTS)
@each_method
def test_prism_takes_every_call_and_the_client_takes_its_answer(
    server: str, operation: Operation, name: str, client: str
) -> None:
    for media_type in operation.bodies or (None,):
        arguments = operation.arguments(media_type)
        if media_type == FORM:
            # Prism reads each part of a form as text; what is JSON in it is checked in test_client_requests.
            arguments = {item: value for item, value in arguments.items() if not isinstance(value, dict)}
        answer = called(client, server, name, arguments)
        assert violations(answer) == []
        assert answer.status_code in {success.status for success in operation.successes}


@each_row("client", CLIENTS)
@each_method
def test_prism_takes_every_call_with_what_is_required_alone(
    server: str, operation: Operation, name: str, client: str
) -> None:
    if name == "update_system":
        pytest.skip("Prism takes a body that is JSON null for none")
    assert violations(called(client, server, name, operation.arguments(optional=False))) == []


def test_prism_does_find_what_is_wrong(server: str) -> None:
    answer = httpx.get(f"{server}/jobs/")
    assert answer.status_code == 401
    assert violations(answer)
    answer = httpx.post(
        f"{server}/resources/feasibility/", headers={"Authorization": TOKEN}, json={"kind": "none"}
    )
    assert answer.status_code == 422
    assert violations(answer)[0]["location"] == ["request", "body", "kind"]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_prism_refuses_is_raised(server: str, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The client sends a token always, so it is taken from it.
    monkeypatch.setattr("synapse_sdk._config.ClientConfig.request_headers", lambda *_: [])
    with pytest.raises(AuthenticationError) as caught:
        called(client, server, "list_jobs", {})
    assert caught.value.detail == "invalid token"
