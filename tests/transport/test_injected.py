"""Clients of httpx and of httpx2 are taken alike, in calls, errors, and tails that are cut and resumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
from tables import each_row

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import (
    ClientConnectionError,
    ClientTimeoutError,
    NotFoundError,
    ServerError,
    ValidationError,
)
from synapse_sdk.testing import FakeAgent

from ..unit.scripted_server import Server, answer, hang, json_answer

Use = Callable[..., Any]
JOB = {"type": "SUBMISSION", "status": "RUNNING", "entrypoint": "x"}


@pytest.fixture(params=[None, httpx, httpx2], ids=["own", "httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_calls(use: Use, library: Any) -> None:
    timeout = (library or httpx).Timeout(5, connect=3)
    with Server(json_answer(200, JOB)) as server:
        status = use(
            lambda client: client("get_job", "job").status,
            server.url,
            library,
            timeout=timeout,
            headers={"X-Latin": "\xe4"},
            user_token="u-token",
        )
    assert status == "RUNNING"
    (request,) = server.requests
    assert request.target == "/jobs/job/"
    assert request.all("authorization") == ["a-token"]
    assert request.all("synapse-user") == ["Token u-token"]
    assert request.all("x-latin") == ["\xe4"]


def test_a_call_with_a_query_and_a_body(use: Use, library: Any) -> None:
    def calls(client: Any) -> Any:
        return client("request", "PUT", "later/", params={"a": ["1", "\xe4"]}, json={"b": 1})

    with Server(json_answer(200, {})) as server:
        assert use(calls, server.url, library) == {}
    (request,) = server.requests
    assert (request.target, request.body) == ("/later/?a=1&a=%C3%A4", b'{"b":1}')


def test_redirects_and_retries(use: Use, library: Any) -> None:
    again = b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    moved = b"HTTP/1.1 307 X\r\nLocation: /jobs/other/\r\nContent-Length: 0\r\n\r\n"
    with Server(again, moved, json_answer(200, JOB)) as server:
        assert use(lambda client: client("get_job", "job").status, server.url, library) == "RUNNING"
    assert [request.target for request in server.requests] == ["/jobs/job/", "/jobs/job/", "/jobs/other/"]


@each_row(
    ("step", "kind", "told"),
    [
        (json_answer(404, {"detail": "no such job"}), NotFoundError, "no such job"),
        (hang, ClientTimeoutError, r"no answer within 0\.3 s"),
        (answer(200, b"no gzip", Content_Encoding="gzip"), ServerError, "decompressed"),
        (b"no HTTP\r\n\r\n", ClientConnectionError, "broke"),
    ],
)
def test_errors(use: Use, library: Any, step: Any, kind: Any, told: str) -> None:
    def calls(client: Any) -> None:
        with pytest.raises(kind, match=told):
            client("get_job", "job")

    with Server(step) as server:
        use(calls, server.url, library, timeout={"read": 0.3}, max_retries=0)


def test_nobody_listens(use: Use, library: Any) -> None:
    def calls(client: Any) -> None:
        with pytest.raises(ClientConnectionError, match="can't connect"):
            client("get_job", "job")
        with pytest.raises(ClientConnectionError, match="can't connect"):
            client.lines("job", protocol="http")

    use(calls, "http://127.0.0.1:9/", library, max_retries=0)


@each_row("protocol", ["websocket", "http"])
def test_a_tail_that_is_cut_and_resumed(use: Use, library: Any, protocol: str) -> None:
    lines = [f"line {number} \xe4" for number in range(200)]
    with FakeAgent(token="a-token", listen=True) as agent:
        job = agent.add_job("job", logs=lines, status="SUCCEEDED")
        job.drop_tail(after_lines=50)
        assert use(lambda client: client.lines("job", protocol=protocol), agent.url, library) == lines


def test_a_client_of_the_other_kind_is_refused() -> None:
    for library in (httpx, httpx2):
        with pytest.raises(ValidationError, match=r"must be an httpx\.Client, not an httpx\.AsyncClient"):
            AgentClient("http://agent/", "t", http_client=library.AsyncClient())
    with pytest.raises(ValidationError, match="not a str"):
        AgentClient("http://agent/", "t", http_client="x")  # type: ignore[arg-type]
