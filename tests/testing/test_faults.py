"""Each fault is met by the error that the contract promises for it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from synapse_sdk.clients.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    GpuUnavailableError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from synapse_sdk.testing import FakeAgent

from .ways import Way, each_backend, each_protocol, each_way

ONCE = {"max_retries": 0}


@each_backend
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ValidationError),
        (401, AuthenticationError),
        (403, AuthorizationError),
        (404, NotFoundError),
        (408, ClientTimeoutError),
        (422, ValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
    ],
)
def test_an_error_status(agent: FakeAgent, way: Way, status: int, kind: type[ClientError]) -> None:
    agent.fail_next("list_jobs", status=status, detail="because", retry_after=7)
    with pytest.raises(kind, match="because") as caught:
        way.call(agent, "list_jobs", client=ONCE)
    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.retry_after) == (status, 7)
    assert way.call(agent, "list_jobs", client=ONCE) == []


def test_a_fault_meets_its_operation_only_and_so_often(agent: FakeAgent) -> None:
    client = agent.client(max_retries=0)
    agent.fail_next("list_nodes", times=2)
    assert client.list_jobs() == []
    for _ in range(2):
        with pytest.raises(ServerError):
            client.list_nodes()
    assert len(client.list_nodes()) == 1


def test_a_fault_of_any_operation_and_for_ever(agent: FakeAgent) -> None:
    client = agent.client(max_retries=0)
    agent.fail_next(times=None)
    for call in (client.list_jobs, client.list_nodes, client.health_check):
        with pytest.raises(ServerError):
            call()
    agent.clear_faults()
    assert client.list_jobs() == []


def test_what_the_client_repeats_may_go_unnoticed(agent: FakeAgent) -> None:
    agent.fail_next("list_jobs", retry_after=0)
    assert agent.client().list_jobs() == []
    assert len(agent.requests_of("list_jobs")) == 2


def test_a_kind_of_error_in_a_word(agent: FakeAgent) -> None:
    agent.fail_next("get_gpu_status", error_type="gpu_unavailable")
    with pytest.raises(GpuUnavailableError):
        agent.client(max_retries=0).get_gpu_status()


def test_field_errors(agent: FakeAgent) -> None:
    errors = [{"loc": ["body", "plugin"], "msg": "is unknown", "type": "value", "input": "x"}]
    agent.fail_next("create_plugin_release", status=422, detail=errors)
    with pytest.raises(ValidationError) as caught:
        agent.client().create_plugin_release("x", "1")
    assert [error["loc"] for error in caught.value.field_errors] == [["body", "plugin"]]


@pytest.mark.parametrize("body", ["<html>login</html>", b'{"type": ', "", [1], {"results": 1}])
def test_a_body_that_is_not_what_it_should_be(agent: FakeAgent, body: Any) -> None:
    agent.fail_next("list_plugin_releases", status=200, body=body, content_type="text/html")
    client = agent.client(max_retries=0)
    if isinstance(body, dict):  # an object is a page, whatever is in it
        assert client.list_plugin_releases().results == 1
        return
    with pytest.raises(ServerError) as caught:
        client.list_plugin_releases()
    assert caught.value.status_code == 200


@each_backend
def test_a_dropped_connection(agent: FakeAgent, way: Way) -> None:
    agent.drop_next("list_jobs")
    with pytest.raises(ClientConnectionError) as caught:
        way.call(agent, "list_jobs", client=ONCE)
    assert caught.value.status_code == 503


@each_backend
def test_no_answer(agent: FakeAgent, way: Way) -> None:
    agent.hang_next("list_jobs")
    with pytest.raises(ClientTimeoutError) as caught:
        way.call(agent, "list_jobs", client=ONCE | {"timeout": {"read": 0.05}})
    assert caught.value.status_code == 408


@each_backend
def test_a_late_answer(agent: FakeAgent, way: Way) -> None:
    agent.delay_next("list_jobs", seconds=0.2)
    begin = time.monotonic()
    assert way.call(agent, "list_jobs", client=ONCE) == []
    assert time.monotonic() - begin >= 0.19  # clocks are coarse


@each_way
def test_refused_connections(agent: FakeAgent, way: Way) -> None:
    with agent.unreachable(), pytest.raises(ClientConnectionError, match="can't connect") as caught:
        way.call(agent, "list_jobs", client=ONCE)
    assert caught.value.status_code == 503
    assert way.call(agent, "list_jobs", client=ONCE) == []


@each_backend
@each_protocol
def test_a_tail_outlives_an_agent_that_is_away(agent: FakeAgent, way: Way, protocol: str) -> None:
    agent.serve()
    job = agent.add_job("train", logs=["one"])
    away = agent.unreachable()

    def on_line(line: str) -> None:
        if line == "one":
            away.__enter__()
            job.log("two")
            job.succeed()

    def on_event(event: Any) -> None:
        if event.kind == "reconnecting":
            away.__exit__(None, None, None)

    tailed = way.tail(agent, "train", protocol=protocol, on_line=on_line, on_event=on_event)
    assert (tailed.lines, tailed.status) == (["one", "two"], "SUCCEEDED")


@each_backend
@pytest.mark.parametrize("protocol", ["auto", "websocket", "http"])
def test_a_wrong_token(agent: FakeAgent, way: Way, protocol: str) -> None:
    agent.add_job("train", status="SUCCEEDED")
    with pytest.raises(AuthenticationError):
        way.call(agent, "list_jobs", client={"agent_token": "wrong"})
    with pytest.raises(AuthenticationError):
        way.tail(agent, "train", protocol=protocol, client={"agent_token": "wrong"})


def test_a_token_that_expires(agent: FakeAgent) -> None:
    fixed, fresh = agent.client(), agent.client(agent_token=lambda: agent.token)
    agent.token = "another"
    with pytest.raises(AuthenticationError):
        fixed.list_jobs()
    assert fresh.list_jobs() == []


@each_backend
def test_a_websocket_that_is_refused_falls_back(agent: FakeAgent, way: Way) -> None:
    agent.add_job("train", status="SUCCEEDED", logs=["one"])
    agent.fail_next("websocket_tail_job_logs", status=426)
    tailed = way.tail(agent, "train")
    assert (tailed.lines, tailed.protocol) == (["one"], "http")


@each_backend
def test_a_stream_that_is_no_stream(agent: FakeAgent, way: Way) -> None:
    agent.add_job("train", status="SUCCEEDED", logs=["one"])
    agent.fail_next("stream_tail_job_logs", status=200, body="<html>", content_type="text/html")
    with pytest.raises(ServerError, match="text/html"):
        way.tail(agent, "train", protocol="http")


def test_too_many_tails(agent: FakeAgent) -> None:
    agent.add_job("train")
    agent.fail_next("websocket_tail_job_logs", status=429, retry_after=3)
    with pytest.raises(RateLimitError) as caught:
        list(agent.client().tail_job_logs("train"))
    assert caught.value.retry_after == 3


@pytest.mark.parametrize("name", ["fail_next", "drop_next", "hang_next"])
def test_a_fault_that_never_comes_is_refused(agent: FakeAgent, name: str) -> None:
    with pytest.raises(ValueError, match="times must be at least 1"):
        getattr(agent, name)("get_job", times=0)


def test_what_has_no_route_is_refused(agent: FakeAgent) -> None:
    client = agent.client()
    with pytest.raises(NotFoundError):
        client.request("GET", "nothing/")
    with pytest.raises(ClientError) as caught:
        client.request("PUT", "jobs/")
    assert caught.value.status_code == 405
    assert [request.operation for request in agent.requests] == [None, None]
