"""Requests through a long-poll handler in place of HTTP."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest
from tables import each_row

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import (
    AuthenticationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from synapse_sdk.long_poll import AsyncLongPollHandler, LongPollHandler

from .conftest import TOKEN, Use

OK = {"status": 200, "reason": "OK"}
JOB = {"type": "SUBMISSION", "status": "RUNNING", "entrypoint": "x"}


class Handler:
    """Has scripted answers, the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers
        self.requests: list[Any] = []
        self.waits: list[tuple[str, float | None]] = []

    def set_request(self, request: Any) -> str:
        self.requests.append(request)
        return f"id-{len(self.requests)}"

    def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Any:
        self.waits.append((request_id, timeout_seconds))
        answer = self.answers[min(len(self.waits), len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class AsyncHandler:
    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def set_request(self, request: Any) -> str:
        return self._handler.set_request(request)

    async def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Any:
        return self._handler.get_response(request_id, timeout_seconds)


@pytest.fixture
def poll(use: Use, backend: str) -> Use:
    """Do something with a client over a handler."""

    def polled(
        handler: Handler, method: str, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        def steps(client: Any) -> Any:
            return (yield getattr(client, method)(*args, **kwargs))

        given = handler if backend == "sync" else AsyncHandler(handler)
        return use(steps, None, TOKEN, long_poll_handler=given, **(options or {}))

    return polled


def test_a_request_as_the_handler_gets_it(poll: Use) -> None:
    handler = Handler({**OK, "data": JOB})
    options = {"user_token": "u-token", "tenant": "acme", "headers": {"X-A": "ä"}, "timeout": {"read": 7}}
    job = poll(handler, "get_job", "j-1", options=options)
    assert (job.status, dict(job)) == ("RUNNING", JOB)
    (request,) = handler.requests
    assert (request["method"], request["path"]) == ("get", "jobs/j-1/")
    headers = dict(request["headers"])
    assert headers.pop("User-Agent").startswith("synapse-sdk/")
    assert headers == {
        "Authorization": TOKEN,
        "SYNAPSE-User": "Token u-token",
        "SYNAPSE-Tenant": "Token acme",
        "Accept": "application/json",
        "X-A": "ä",
    }
    assert set(request) == {"method", "path", "headers"}
    assert handler.waits == [("id-1", 7.0)]


def test_bodies_and_queries(poll: Use) -> None:
    handler = Handler({**OK, "data": {}})
    poll(handler, "check_feasibility", "job", num_cpus=4)
    poll(handler, "update_system")
    poll(handler, "get_cluster_resources", use_cache=False)
    poll(handler, "get_serve_application", "ä/b@1")
    poll(handler, "request", "PUT", "x", content="text", params={"a": [1, 2, 3], "b": "ü"})
    first, update, query, name, free = handler.requests
    assert (first["method"], first["path"]) == ("post", "resources/feasibility/")
    assert (first["json"]["kind"], first["json"]["num_cpus"]) == ("job", 4)
    assert update["json"] is None
    assert query["params"] == {"use_cache": "false"}
    assert "json" not in query
    assert name["path"] == "serve_applications/%C3%A4%2Fb@1/"
    assert (free["method"], free["data"], free["params"]) == ("put", "text", {"a": ["1", "2", "3"], "b": "ü"})


@each_row(
    ("method", "args", "answer", "expected"),
    [
        ("get_job_logs", ["j"], {**OK, "data": "a\nb"}, "a\nb"),
        ("get_job_logs", ["j"], {**OK, "data": {"logs": "a\nb"}}, "a\nb"),
        ("get_job_logs", ["j"], {**OK, "data": "a", "headers": {"Content-Type": "text/plain"}}, "a"),
        ("get_job_logs", ["j"], {**OK, "data": "42"}, "42"),
        ("delete_serve_application", ["a"], {"status": 204, "reason": "No Content", "data": None}, None),
        ("delete_serve_application", ["a"], {"status": 204}, None),
        ("delete_serve_application", ["a"], {"status": 204, "data": ""}, None),
        ("list_jobs", [], {**OK, "data": []}, []),
        ("request", ["GET", "x"], {"status": 201, "data": [1]}, [1]),
        ("request", ["GET", "x"], {**OK, "data": None}, None),
        ("request", ["GET", "x"], {**OK, "data": b'{"a": 1}'}, {"a": 1}),
    ],
)
def test_answers(poll: Use, method: str, args: list[str], answer: Any, expected: object) -> None:
    assert poll(Handler(answer), method, *args) == expected


@each_row(
    ("answer", "error", "told"),
    [
        (
            {"status": 404, "reason": "Not Found", "data": {"detail": "no such job"}},
            NotFoundError,
            "no such job",
        ),
        ({"status": 404, "reason": "Not Found", "data": "gone"}, NotFoundError, "404 gone"),
        ({"status": 404, "reason": "Not Found", "data": None}, NotFoundError, "404 Not Found"),
        ({"status": 401, "data": {"detail": f"bad {TOKEN}"}}, AuthenticationError, r"bad \*\*\*"),
        (
            {"status": 422, "data": {"detail": [{"loc": ["a"], "msg": "bad", "type": "t"}]}},
            ValidationError,
            "a: bad",
        ),
        ({"status": 429, "data": {}, "headers": {"Retry-After": "7"}}, RateLimitError, "try again in 7 s"),
        ({"status": 500, "data": "<p>", "headers": {"content-type": "text/html"}}, ServerError, "500"),
        ({**OK, "data": [1]}, ServerError, "expected Job"),
        ({**OK, "data": "<p>", "headers": {"content-type": "text/html"}}, ServerError, "text/html"),
        ({"status": 302, "data": None}, ClientError, "redirected"),
    ],
)
def test_errors_are_those_of_http(poll: Use, answer: Any, error: type[ClientError], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        poll(Handler(answer), "get_job", "j", options={"max_retries": 0})
    assert str(caught.value).startswith("get job at the end of the long poll: ")
    assert caught.value.status_code == answer["status"]
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_retries_are_those_of_http(poll: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    from synapse_sdk import _retry

    monkeypatch.setattr(_retry, "backoff", lambda attempt: 0.001)
    handler = Handler({"status": 503, "data": None}, {**OK, "data": JOB})
    assert poll(handler, "get_job", "j").status == "RUNNING"
    assert len(handler.requests) == 2


def test_no_answer_is_a_timeout_and_not_repeated(poll: Use) -> None:
    handler = Handler(TimeoutError())
    with pytest.raises(
        ClientTimeoutError, match="408 no answer through the long-poll handler within 2 s"
    ) as caught:
        poll(handler, "get_job", "j", options={"timeout": 2})
    assert caught.value.status_code == 408
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert len(handler.requests) == 1


def test_a_handler_without_a_timeout(poll: Use) -> None:
    handler = Handler({**OK, "data": JOB})
    poll(handler, "get_job", "j", options={"timeout": httpx.Timeout(None)})
    assert handler.waits == [("id-1", None)]


@each_row("exc", [ConnectionError("broken"), KeyError("x"), ValueError("token=abc123456789")])
def test_a_handler_that_fails_is_a_connection_error(poll: Use, exc: Exception) -> None:
    with pytest.raises(
        ClientConnectionError, match=f"the long-poll handler failed: {type(exc).__name__}"
    ) as caught:
        poll(Handler(exc), "get_job", "j")
    assert caught.value.status_code == 503
    assert caught.value.__cause__ is exc
    assert "abc123456789" not in str(caught.value)


def test_interrupts_pass(poll: Use) -> None:
    with pytest.raises(KeyboardInterrupt):
        poll(Handler(KeyboardInterrupt()), "get_job", "j")


@each_row(
    "answer",
    [
        None,
        [],
        "text",
        {},
        {"status": None},
        {"status": "200"},
        {"status": True},
        {"status": 101},
        {"status": 99},
        {"status": 1000},
        {**OK, "data": object()},
        {**OK, "data": {"a": {1}}},
        {**OK, "data": None, "headers": 5},
        {**OK, "data": None, "headers": {"a": object()}},
    ],
)
def test_a_response_that_is_none(poll: Use, answer: Any) -> None:
    with pytest.raises(ServerError, match="the long-poll handler's response") as caught:
        poll(Handler(answer), "request", "GET", "x")
    assert caught.value.status_code == 500


def test_what_says_how_a_body_travelled_is_not_believed(poll: Use) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Length": "3", "Transfer-Encoding": "chunked"}
    assert poll(Handler({**OK, "data": JOB, "headers": headers}), "get_job", "j").status == "RUNNING"


def test_files_can_not_travel(poll: Use, tmp_path: Path) -> None:
    handler = Handler({**OK, "data": {}})
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(ValidationError, match="can't carry files") as caught:
        poll(handler, "create_container", file=tmp_path / "a.zip")
    assert caught.value.status_code == 400
    with pytest.raises(ValidationError, match="no other bytes"):
        poll(handler, "request", "POST", "x", content=b"\xff")
    assert handler.requests == []


@each_row("protocol", ["auto", "websocket", "http"])
def test_tails_can_not_travel(poll: Use, protocol: str) -> None:
    with pytest.raises(ServerError, match="can't carry a log tail") as caught:
        poll(Handler(), "tail_job_logs", "j", protocol=protocol)
    assert caught.value.status_code == 500
    assert "get_job_logs" in str(caught.value)


def test_many_tails_can_not_travel_either(use: Use, backend: str) -> None:
    def steps(client: Any) -> Any:
        with pytest.raises(ServerError, match="can't carry a log tail"):
            yield client.tail_many(["j"])

    use(steps, None, TOKEN, long_poll_handler=Handler() if backend == "sync" else AsyncHandler(Handler()))


def test_waiting_and_walking_and_raw_responses_work_as_ever(use: Use, backend: str) -> None:
    page = {"count": 2, "previous": None}
    handler = Handler(
        {**OK, "data": JOB},
        {**OK, "data": {**JOB, "status": "SUCCEEDED"}},
        # An agent names the address that it was asked at, on its side.
        {
            **OK,
            "data": {**page, "next": "http://127.0.0.1:8000/x/containers/?page=2", "results": [{"id": 1}]},
        },
        {**OK, "data": {**page, "next": None, "results": [{"id": 2}]}},
        {"status": 200, "reason": "Fine", "data": JOB, "headers": {"X-A": "1"}},
    )

    def steps(client: Any) -> Any:
        assert (yield client.wait_for_job("j", timeout=10, poll_interval=0.01)).status == "SUCCEEDED"
        assert [item.id for item in (yield client.iter_containers())] == [1, 2]
        raw = yield client.with_options(timeout=3).with_raw_response.get_job("j")
        assert (raw.status_code, raw.headers["x-a"], raw.parsed.status) == (200, "1", "RUNNING")

    use(steps, None, TOKEN, long_poll_handler=handler if backend == "sync" else AsyncHandler(handler))
    assert handler.requests[3]["path"] == "containers/"
    assert handler.requests[3]["params"] == {"page": "2"}
    assert handler.waits[-1] == ("id-5", 3.0)


def test_a_closed_client_asks_no_more() -> None:
    handler = Handler({**OK, "data": JOB})
    client = AgentClient(None, TOKEN, long_poll_handler=handler)
    assert repr(client) == "<AgentClient the end of the long poll>"
    client.close()
    with pytest.raises(ClientConnectionError, match="closed"):
        client.get_job("j")
    assert handler.requests == []


@each_row("client", [AgentClient, AsyncAgentClient])
@each_row(
    ("options", "named"),
    [
        ({"base_url": "http://agent/"}, "base_url"),
        ({"long_poll_handler": None}, "base_url"),
        ({"long_poll_handler": object()}, "set_request"),
        ({"verify": False}, "verify"),
        ({"proxy": "http://proxy/"}, "proxy"),
        ({"http_client": object()}, "http_client"),
    ],
)
def test_bad_options(client: Any, options: dict[str, Any], named: str) -> None:
    given = {"base_url": None, "agent_token": "t", "long_poll_handler": Handler(), **options}
    with pytest.raises(ValidationError, match=named) as caught:
        client(**given)
    assert caught.value.status_code == 400


def test_a_handler_of_the_other_kind_is_told_apart(use: Use, backend: str) -> None:
    def steps(client: Any) -> Any:
        with pytest.raises(ValidationError, match="async"):
            yield client.get_job("j")

    handler = Handler({**OK, "data": JOB})
    use(steps, None, TOKEN, long_poll_handler=AsyncHandler(handler) if backend == "sync" else handler)


def test_the_protocols_can_be_checked() -> None:
    assert isinstance(Handler(), LongPollHandler)
    assert isinstance(AsyncHandler(Handler()), AsyncLongPollHandler)
    assert not isinstance(object(), LongPollHandler)
