"""Waiting for jobs, builds and restarts: what is asked, what is waited through, and when it ends."""

from __future__ import annotations

import threading
import time
import traceback
from typing import Any

import pytest
from stopwatch import Stopwatch
from tables import each_row

from synapse_agent_api.models import BuildAccepted, Container, SystemOperationResult, SystemStatus
from synapse_sdk._rest import _poller
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import (
    AuthenticationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    HTTPError,
    NotFoundError,
    ServerError,
    ValidationError,
)

from .conftest import Use
from .scripted_server import Server, Step, drop, hang, json_answer, reset

QUICK = {"poll_interval": 0.01}


def job(status: object) -> bytes:
    return json_answer(200, {"type": "SUBMISSION", "status": status, "entrypoint": "x", "submission_id": "j"})


def build(status: str, **more: object) -> bytes:
    return json_answer(200, {"status": status, **more})


def system(in_progress: bool, **more: object) -> bytes:
    return json_answer(200, {"in_progress": in_progress, **more})


def failure(status: int) -> bytes:
    return json_answer(status, {"detail": "not now"})


ACCEPTED = json_answer(202, {"build_id": "b-1", "status_url": "/builds/b-1/", "ws_url": "", "sse_url": ""})
BEGUN = json_answer(200, {"status": "in_progress", "message": "it has begun"})
HEALTHY = json_answer(200, {"status": "ok", "ray_available": True})


def targets(server: Server) -> list[str]:
    return [f"{request.method} {request.target}" for request in server.requests]


# Jobs


@each_row("status", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_job_is_waited_for_until_it_is_over(ask: Use, status: str) -> None:
    with Server(job("PENDING"), job("RUNNING"), job("NEW_STATUS"), job(status)) as server:
        final = ask(server.url, "wait_for_job", "j", timeout=30, **QUICK)
    assert (final.status, final["entrypoint"]) == (status, "x")
    assert targets(server) == ["GET /jobs/j/"] * 4


@each_row(("status", "told"), [("RUNNING", "job j is RUNNING"), (None, "unknown"), (["?"], "job j is")])
def test_a_job_that_goes_on_is_a_timeout_that_says_where_it_stood(
    ask: Use, status: object, told: str
) -> None:
    watch = Stopwatch()
    with Server(job(status)) as server, pytest.raises(ClientTimeoutError) as caught:
        ask(server.url, "wait_for_job", "j", timeout=1, **QUICK)
    assert time.monotonic() - watch.started >= 1
    assert watch.seconds() < 5
    assert caught.value.status_code == 408
    assert str(caught.value).startswith(f"wait for job at {server.url}: 408 after 1 s ")
    assert told in str(caught.value)


def test_the_deadline_is_monotonic(ask: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**9, 10**9 + 10**8, 100_000))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    with Server(job("RUNNING"), job("RUNNING"), job("SUCCEEDED")) as server:
        assert ask(server.url, "wait_for_job", "j", timeout=30, **QUICK).status == "SUCCEEDED"


@each_row("trouble", [failure(502), failure(503), failure(504), failure(429), reset, drop])
def test_trouble_on_the_way_is_waited_through(ask: Use, trouble: Step) -> None:
    with Server(job("RUNNING"), trouble, trouble, trouble, trouble, job("SUCCEEDED")) as server:
        assert ask(server.url, "wait_for_job", "j", timeout=30, **QUICK).status == "SUCCEEDED"
    # The waiting itself is the repeating: each of its looks is one request.
    assert len(server.requests) == 6


def test_an_agent_that_hangs_holds_the_wait_up_no_longer_than_its_deadline(ask: Use) -> None:
    watch = Stopwatch()
    with Server(hang) as server, pytest.raises(ClientTimeoutError) as caught:
        ask(server.url, "wait_for_job", "j", timeout=0.4, options={"timeout": 60})
    assert watch.seconds() < 5
    assert "the agent can't be asked (408 no answer within" in str(caught.value)
    assert isinstance(caught.value.__cause__, ClientTimeoutError)


def test_without_a_deadline_an_agent_that_is_gone_is_given_up(
    ask: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_poller, "_GRACE", 0.2)
    with pytest.raises(ClientConnectionError) as caught:
        ask("http://127.0.0.1:9/", "wait_for_job", "j", options={"max_retries": 0}, **QUICK)
    assert caught.value.status_code == 503


@each_row(
    ("status", "error"),
    [(401, AuthenticationError), (404, NotFoundError), (500, ServerError), (409, HTTPError)],
)
def test_an_error_that_stays_ends_the_wait(ask: Use, status: int, error: type[ClientError]) -> None:
    with Server(job("RUNNING"), failure(status)) as server, pytest.raises(error) as caught:
        ask(server.url, "wait_for_job", "j", timeout=30, **QUICK)
    assert caught.value.status_code == status
    assert len(server.requests) == 2


@each_row("bad", [0, -1, True, float("nan"), float("inf"), "5", [], 10**400])
@each_row("name", ["timeout", "poll_interval"])
@each_row(
    "call", [("wait_for_job", "j"), ("wait_for_build", "b"), ("wait_for_system_ready",), ("restart_system",)]
)
def test_bad_seconds_are_refused_before_anything_is_sent(call: tuple[str, ...], name: str, bad: Any) -> None:
    more = {"wait": True} if call[0] == "restart_system" else {}
    with (
        Server(hang) as server,
        AgentClient(server.url, "t") as client,
        pytest.raises(ValidationError, match=name),
    ):
        getattr(client, call[0])(*call[1:], **more, **{name: bad})
    assert server.requests == []


def test_a_bad_id_is_refused(ask: Use) -> None:
    for method in ("wait_for_job", "wait_for_build"):
        with pytest.raises(ValidationError):
            ask("http://127.0.0.1:9/", method, "../x")


def test_closing_the_client_ends_a_wait() -> None:
    with Server(job("RUNNING")) as server:
        client = AgentClient(server.url, "t")
        threading.Timer(0.2, client.close).start()
        with pytest.raises(ClientConnectionError, match="closed"):
            client.wait_for_job("j", poll_interval=0.05)


def test_the_first_looks_are_quick_and_the_others_as_told() -> None:
    deadline = _poller.Deadline(None, 2.0)
    pauses = [deadline.next_sleep().seconds for _ in range(8)]  # type: ignore[union-attr]
    assert 0.09 <= pauses[0] <= 0.11
    assert all(1.8 <= seconds <= 2.2 for seconds in pauses[5:])
    assert pauses[:4] == sorted(pauses[:4])
    asked = deadline.next_sleep(7.0)
    assert asked is not None
    assert asked.seconds == 7.0
    capped = deadline.next_sleep(10_000)
    assert capped is not None
    assert capped.seconds == 30.0


# Builds


def test_a_build_is_waited_for(ask: Use) -> None:
    result = {"id": 7, "status": "running", "kind": "plugin_runtime"}
    with Server(build("pending"), build("pulling"), build("completed", result=result)) as server:
        done = ask(server.url, "wait_for_build", "b-1", timeout=30, **QUICK)
    assert isinstance(done.result, Container)
    assert done.result.id == 7
    assert targets(server) == ["GET /builds/b-1/"] * 3


@each_row("status", ["failed", "cancelled"])
def test_a_build_that_fails_says_why(ask: Use, status: str) -> None:
    failed = build(status, error="no space left on device")
    with Server(build("running"), failed) as server, pytest.raises(ServerError) as caught:
        ask(server.url, "wait_for_build", "b-1", timeout=30, **QUICK)
    assert caught.value.status_code == 500
    said = f"wait for build at {server.url}: 500 build b-1 {status}: no space left on device"
    assert str(caught.value) == said


def test_a_build_that_goes_on_is_a_timeout(ask: Use) -> None:
    with Server(build("pulling")) as server, pytest.raises(ClientTimeoutError, match="build b-1 is pulling"):
        ask(server.url, "wait_for_build", "b-1", timeout=0.2, **QUICK)


@each_row(
    ("method", "path", "args"),
    [("create_container", "/containers/", []), ("create_docker_container", "/containers/docker/", ["d@1"])],
)
def test_creating_gives_the_build_or_the_container(ask: Use, method: str, path: str, args: list[str]) -> None:
    result = {"id": 7, "status": "running", "kind": "plugin_runtime"}
    steps = [ACCEPTED, build("running"), failure(503), build("completed", result=result)]
    with Server(*steps) as server:
        accepted = ask(server.url, method, *args)
        assert isinstance(accepted, BuildAccepted)
        assert accepted.build_id == "b-1"
    with Server(*steps) as server:
        container = ask(server.url, method, *args, wait=True, timeout=30, **QUICK)
        assert isinstance(container, Container)
        assert container.id == 7
    assert targets(server) == [f"POST {path}", *["GET /builds/b-1/"] * 3]


@each_row(
    "steps",
    [
        [json_answer(202, {})],
        [json_answer(202, {"build_id": 3})],
        [ACCEPTED, build("completed")],
        [ACCEPTED, build("completed", result="c-1")],
    ],
)
def test_creating_without_a_build_or_a_container_to_show_is_an_error(ask: Use, steps: list[bytes]) -> None:
    with Server(*steps) as server, pytest.raises(ServerError, match=r"create container at .*: 500"):
        ask(server.url, "create_container", wait=True, timeout=30, **QUICK)


def test_creating_that_is_refused_is_not_waited_for(ask: Use) -> None:
    with Server(failure(422)) as server, pytest.raises(ValidationError):
        ask(server.url, "create_container", wait=True, timeout=30, **QUICK)
    assert len(server.requests) == 1


# The system


@each_row("method", ["update_system", "restart_system"])
def test_a_restart_is_waited_through(ask: Use, method: str) -> None:
    steps = [
        BEGUN,
        system(True, operation="restart"),
        reset,
        drop,
        failure(502),
        failure(503),
        system(False, api_tag="2026.2.0"),
        drop,
        json_answer(200, {"status": "degraded", "ray_available": False, "message": "Ray is unreachable"}),
        HEALTHY,
    ]
    with Server(*steps) as server:
        status = ask(server.url, method, wait=True, timeout=30, **QUICK)
    assert isinstance(status, SystemStatus)
    assert status.api_tag == "2026.2.0"
    path = method.removesuffix("_system")
    expected = [f"POST /system/{path}/", *["GET /system/status/"] * 6, *["GET /health/"] * 3]
    assert targets(server) == expected


def test_without_wait_it_only_begins(ask: Use) -> None:
    with Server(BEGUN) as server:
        begun = ask(server.url, "restart_system")
    assert isinstance(begun, SystemOperationResult)
    assert len(server.requests) == 1


@each_row("broken", [reset, drop, failure(502), failure(504)])
def test_an_agent_that_goes_down_while_it_answers_has_begun(ask: Use, broken: Step) -> None:
    with Server(broken, system(False), HEALTHY) as server:
        assert ask(server.url, "restart_system", wait=True, timeout=30, **QUICK).in_progress is False
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


def test_an_update_may_take_its_time_to_answer(ask: Use) -> None:
    def slow(connection: Any, request: Any) -> None:
        time.sleep(0.6)
        connection.sendall(json_answer(200, {"status": "success", "message": "done"}))

    with Server(slow, system(False), HEALTHY) as server:
        options = {"timeout": {"read": 0.3}}
        assert ask(server.url, "update_system", wait=True, timeout=30, options=options, **QUICK)
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


@each_row("status", [401, 409, 501, 503])
def test_a_restart_that_is_refused_is_not_waited_for(ask: Use, status: int) -> None:
    with Server(failure(status)) as server, pytest.raises(ClientError) as caught:
        ask(server.url, "restart_system", wait=True, timeout=30, **QUICK)
    assert caught.value.status_code == status
    assert len(server.requests) == 1


def test_an_agent_that_is_not_there_can_not_be_restarted(ask: Use) -> None:
    with pytest.raises(ClientConnectionError, match="restart system"):
        ask("http://127.0.0.1:9/", "restart_system", wait=True, options={"max_retries": 0})


def test_an_update_that_fails_is_an_error(ask: Use) -> None:
    failed = json_answer(200, {"status": "error", "message": "pull access denied"})
    with Server(failed) as server, pytest.raises(ServerError, match="pull access denied"):
        ask(server.url, "update_system", wait=True, timeout=30, **QUICK)


def test_ready_is_an_agent_that_serves_and_has_its_ray(ask: Use) -> None:
    with Server(drop, failure(503), system(True), system(False), HEALTHY) as server:
        status = ask(server.url, "wait_for_system_ready", timeout=30, **QUICK)
    assert status.in_progress is False


def test_an_agent_without_updates_is_ready_when_it_is_healthy(ask: Use) -> None:
    with Server(failure(501), HEALTHY) as server:
        assert ask(server.url, "wait_for_system_ready", timeout=30, **QUICK).in_progress is False
    assert targets(server) == ["GET /system/status/", "GET /health/"]


@each_row(
    ("steps", "told"),
    [
        ([system(True, operation="update")], "the agent's update is under way"),
        ([failure(503)], "503 not now"),
        ([drop], "the agent can't be asked"),
        ([system(False), json_answer(200, {"status": "x", "ray_available": False})], "has no Ray"),
    ],
)
def test_an_agent_that_does_not_get_ready_is_a_timeout_that_says_why(
    ask: Use, steps: list[Step], told: str
) -> None:
    with Server(*steps) as server, pytest.raises(ClientTimeoutError) as caught:
        ask(server.url, "wait_for_system_ready", timeout=0.3, **QUICK)
    assert caught.value.status_code == 408
    assert told in str(caught.value)
    assert "S3CRET" not in "".join(traceback.format_exception(caught.value))
