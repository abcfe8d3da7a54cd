"""Views with other options, raw responses, and requests that the spec doesn't know."""

from __future__ import annotations

import inspect
import traceback
from typing import Any

import anyio
import httpx
import pytest
from tables import each_row

from synapse_agent_api.client import RawResponse
from synapse_agent_api.models import Job
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import (
    ClientConnectionError,
    ClientTimeoutError,
    NotFoundError,
    ServerError,
    ValidationError,
)
from synapse_sdk.utils.network import StreamLimits

from .conftest import TOKEN, Use
from .scripted_server import Server, answer, hang, json_answer

JOB = {"type": "SUBMISSION", "status": "RUNNING", "entrypoint": "x", "later": 1}

# with_options


def test_a_view_has_other_options_and_the_original_keeps_its_own(use: Use) -> None:
    def steps(client: Any) -> Any:
        view = client.with_options(headers={"X-B": "view", "x-a": "view"}, timeout=7, max_retries=0)
        assert type(view) is type(client)
        yield view.get_job("j")
        yield client.get_job("j")
        deeper = view.with_options(headers={"X-C": "deeper"})
        yield deeper.get_job("j")
        connections = [item._api_client.config for item in (client, view, deeper)]
        assert [connection.timeout.read for connection in connections] == [10, 7, 7]
        assert [connection.max_retries for connection in connections] == [2, 0, 0]

    with Server(json_answer(200, JOB)) as server:
        use(steps, server.url, TOKEN, headers={"X-A": "own"})
    names = ("x-a", "x-b", "x-c")
    sent = [tuple(request.header(name) for name in names) for request in server.requests]
    assert sent == [("view", "view", None), ("own", None, None), ("view", "view", "deeper")]
    assert {request.header("authorization") for request in server.requests} == {TOKEN}
    # The connections are shared: three requests, one connection.
    assert len(server._connections) == 1


def test_the_options_of_a_view_take_effect(use: Use) -> None:
    def steps(client: Any) -> Any:
        with pytest.raises(ClientTimeoutError):
            yield client.with_options(timeout={"read": 0.1}, max_retries=0).get_job("j")

    with Server(hang) as server:
        use(steps, server.url, "t")
    assert len(server.requests) == 1


def test_closing_a_view_leaves_the_original_open_and_not_the_other_way_round(backend: str) -> None:
    with Server(json_answer(200, JOB)) as server:
        if backend == "sync":
            client = AgentClient(server.url, "t")
            with client.with_options(timeout=5) as view:
                view.get_job("j")
            with pytest.raises(ClientConnectionError, match="closed"):
                view.get_job("j")
            client.get_job("j")
            other = client.with_options().with_options()
            client.close()
            with pytest.raises(ClientConnectionError, match="closed"):
                other.get_job("j")
            assert "closed" in repr(other)
            return

        async def main() -> None:
            client = AsyncAgentClient(server.url, "t")
            async with client.with_options(timeout=5) as view:
                await view.get_job("j")
            with pytest.raises(ClientConnectionError, match="closed"):
                await view.get_job("j")
            await client.get_job("j")
            other = client.with_options().with_options()
            await client.close()
            with pytest.raises(ClientConnectionError, match="closed"):
                await other.get_job("j")
            assert "closed" in repr(other)

        anyio.run(main, backend=backend)


def test_a_view_of_a_client_over_an_injected_one_is_closed_with_it() -> None:
    with Server(json_answer(200, JOB)) as server, httpx.Client() as http:
        client = AgentClient(server.url, "t", http_client=http)
        view = client.with_options(timeout=5)
        client.close()
        with pytest.raises(ClientConnectionError, match="closed"):
            view.get_job("j")
        assert not http.is_closed


def test_a_view_takes_the_stream_limits_over() -> None:
    class Mine(AgentClient):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.own = 1

    with Mine("http://agent/", "t") as client:
        client.stream_limits = StreamLimits(max_lines=5)
        view = client.with_options()
        assert view.stream_limits.max_lines == 5
        view.stream_limits = StreamLimits(max_lines=6)
        assert client.stream_limits.max_lines == 5
        assert (type(view), view.own) == (Mine, 1)


@each_row(
    ("options", "named"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": {"total": 1}}, "timeout"),
        ({"max_retries": -1}, "max_retries"),
        ({"headers": {"Authorization": "S3CRET"}}, "Authorization"),
        ({"headers": {"Content-Type": "a/b"}}, "Content-Type"),
    ],
)
def test_bad_options_of_a_view(options: dict[str, Any], named: str) -> None:
    with AgentClient("http://agent/", "t") as client, pytest.raises(ValidationError, match=named):
        client.with_options(**options)


def test_views_show_no_tokens() -> None:
    with AgentClient("http://agent/", TOKEN) as client:
        view = client.with_options(headers={"X": TOKEN})
        assert TOKEN not in repr(view) + repr(vars(view)) + repr(view.with_raw_response)


# with_raw_response


def test_a_raw_response_has_everything(use: Use) -> None:
    def steps(client: Any) -> Any:
        return (yield client.with_raw_response.get_job("j"))

    body = b'{"type": "SUBMISSION", "status":"RUNNING", "entrypoint": "x"}'
    with Server(answer(203, body, "application/json", X_Request_ID="r-1")) as server:
        raw = use(steps, server.url, TOKEN)
    assert isinstance(raw, RawResponse)
    assert (raw.status_code, raw.content) == (203, body)
    assert raw.headers["x-request-id"] == raw.headers["X-Request-Id"] == "r-1"
    assert isinstance(raw.parsed, Job)
    assert raw.parsed.status == "RUNNING"
    assert raw.parsed is raw.parsed
    assert repr(raw) == f"<RawResponse [203], {len(body)} bytes>"
    with pytest.raises(AttributeError):
        raw.content = b""  # type: ignore[misc]


def test_raw_responses_of_all_kinds(use: Use) -> None:
    def steps(client: Any) -> Any:
        raw = client.with_raw_response
        logs = yield raw.list_job_logs("j")
        gone = yield raw.delete_serve_application("app")
        listed = yield client.with_options(headers={"X-A": "1"}).with_raw_response.list_jobs()
        return logs, gone, listed

    with Server(json_answer(200, "a\nb"), answer(204), json_answer(200, [JOB])) as server:
        logs, gone, listed = use(steps, server.url, "t")
    assert (logs.parsed, logs.content) == ("a\nb", b'"a\\nb"')
    assert (gone.status_code, gone.content, gone.parsed) == (204, b"", None)
    assert dict(listed.parsed[0]) == JOB
    assert server.requests[2].header("x-a") == "1"


def test_an_error_raises_as_ever_and_retries_are_made(use: Use) -> None:
    def steps(client: Any) -> Any:
        with pytest.raises(NotFoundError, match="no such job"):
            yield client.with_raw_response.get_job("j")

    again = b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    with Server(again, json_answer(404, {"detail": "no such job"})) as server:
        use(steps, server.url, "t")
    assert len(server.requests) == 2


def test_a_body_that_is_not_what_it_should_be_can_be_looked_at(use: Use) -> None:
    def steps(client: Any) -> Any:
        return (yield client.with_raw_response.get_job("j"))

    with Server(answer(200, b"<p>Sign in", "text/html")) as server:
        raw = use(steps, server.url, "t")
    assert raw.content == b"<p>Sign in"
    for _ in range(2):
        with pytest.raises(ServerError, match="text/html"):
            _ = raw.parsed


def test_a_raw_response_can_not_wait(use: Use) -> None:
    def steps(client: Any) -> Any:
        with pytest.raises(ValidationError, match="with_raw_response"):
            yield client.with_raw_response.restart_system(wait=True)

    use(steps, "http://127.0.0.1:9/", "t")


def test_a_raw_method_is_documented_like_its_original() -> None:
    with AgentClient("http://agent/", "t") as client:
        raw = client.with_raw_response.get_job
        assert inspect.signature(raw) == inspect.signature(client.get_job)
        assert inspect.getdoc(raw) == inspect.getdoc(client.get_job)
        assert "get_job" in dir(client.with_raw_response)


# request


def test_a_request_is_like_any_other(ask: Use) -> None:
    with Server(json_answer(200, {"count": 3})) as server:
        got = ask(
            f"{server.url}prefix",
            "request",
            "get",
            "/later/thing",
            params={"a": [1, True], "b": "ä&", "c": None},
            headers={"X-A": "1", "Accept": "application/vnd.later+json"},
            options={"user_token": "u-token", "headers": {"X-A": "0", "X-B": "2"}},
        )
    assert got == {"count": 3}
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/prefix/later/thing?a=1&a=true&b=%C3%A4%26")
    assert request.all("authorization") == [TOKEN]
    assert request.all("synapse-user") == ["Token u-token"]
    assert request.all("x-a") == ["1"]
    assert request.all("x-b") == ["2"]
    assert request.all("accept") == ["application/vnd.later+json"]
    assert request.body == b""


@each_row(
    ("options", "body", "content_type"),
    [
        ({"json": {"ä": [1, None]}}, '{"ä":[1,null]}'.encode(), "application/json"),
        ({"json": None}, b"null", "application/json"),
        ({"content": b"\x00\xff"}, b"\x00\xff", "application/octet-stream"),
        ({"content": "ä"}, "ä".encode(), "text/plain; charset=utf-8"),
        ({"content": "a: 1", "headers": {"content-type": "application/yaml"}}, b"a: 1", "application/yaml"),
        ({"content": b""}, b"", "application/octet-stream"),
    ],
)
def test_bodies(ask: Use, options: dict[str, Any], body: bytes, content_type: str) -> None:
    with Server(json_answer(201, {})) as server:
        assert ask(server.url, "request", "PUT", "x/", **options) == {}
    (request,) = server.requests
    assert (request.method, request.body, request.all("content-type")) == ("PUT", body, [content_type])


@each_row(
    ("given", "expected"),
    [
        (json_answer(200, [1, None]), [1, None]),
        (json_answer(200, {"logs": "x"}), {"logs": "x"}),
        (json_answer(200, None), None),
        (answer(204), None),
        (answer(200, b"a\nb", "text/plain"), "a\nb"),
        (answer(200, b"\xe4", "text/plain; charset=latin-1"), "ä"),
        (answer(200, b"42", "text/plain"), "42"),
        (answer(200, b'{"a": 1}'), {"a": 1}),
        (answer(200, b"plain"), "plain"),
        (answer(299, b'{"a": 1}', "application/problem+json"), {"a": 1}),
    ],
)
def test_answers(ask: Use, given: bytes, expected: object) -> None:
    with Server(given) as server:
        assert ask(server.url, "request", "GET", "x/") == expected


@each_row(
    ("given", "told"),
    [
        (answer(200, b"<p>Sign in", "text/html"), "text/html"),
        (answer(200, b'{"a": "cut', "application/json"), "not JSON"),
    ],
)
def test_answers_that_can_not_be_used(ask: Use, given: bytes, told: str) -> None:
    with Server(given) as server, pytest.raises(ServerError, match=told) as caught:
        ask(server.url, "request", "GET", "a b/".replace(" ", "%20"))
    assert str(caught.value).startswith(f"GET /a%20b/ at {server.url}: 200 ")


def test_errors_and_retries_are_those_of_every_call(ask: Use) -> None:
    again = b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    missing = json_answer(404, {"detail": "no such thing"})
    with Server(again, missing) as server, pytest.raises(NotFoundError) as caught:
        ask(server.url, "request", "GET", "later/", params={"key": "S3CRET"})
    assert str(caught.value) == f"GET /later/ at {server.url}: 404 no such thing"
    assert len(server.requests) == 2
    with Server(again) as server, pytest.raises(ServerError):
        ask(server.url, "request", "POST", "later/")
    assert len(server.requests) == 1


def test_a_raw_request(use: Use) -> None:
    def steps(client: Any) -> Any:
        return (yield client.with_raw_response.request("GET", "later/"))

    with Server(answer(200, b"<p>", "text/html")) as server:
        raw = use(steps, server.url, "t")
    assert raw.content == b"<p>"
    with pytest.raises(ServerError):
        _ = raw.parsed


@each_row(
    ("path", "target"),
    [
        ("", "/pre/"),
        ("/", "/pre/"),
        ("jobs/", "/pre/jobs/"),
        ("/jobs/", "/pre/jobs/"),
        ("jobs/?a=1&a=%2F", "/pre/jobs/?a=1&a=%2F"),
        ("jobs/ä@1:2;x,y/", "/pre/jobs/%C3%A4@1:2;x,y/"),
        ("jobs/a%2Fb/", "/pre/jobs/a%2Fb/"),
        ("a{b}/...", "/pre/a%7Bb%7D/..."),
        ("{url}pre/jobs/?a=1", "/pre/jobs/?a=1"),
    ],
)
def test_paths(ask: Use, path: str, target: str) -> None:
    with Server(json_answer(200, {})) as server:
        ask(f"{server.url}pre", "request", "GET", path.replace("{url}", server.url))
    (request,) = server.requests
    assert request.target == target


@each_row(
    "path",
    [
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "./x",
        "%2e%2e/x",
        "a/%2E%2e/x",
        "a/.%2e/x",
        "%252e%252e/x",
        "a%2f..%2fx",
        "a\\..\\x",
        "a/..%5cx",
        "http://127.0.0.2:9/pre/x",
        "https://{host}/pre/x",
        "http://{host}/x",
        "http://{host}/prefix",
        "http://S3CRET@{host}/pre/x",
        "//127.0.0.2:9/pre/x",
        "http:/x",
        "ftp://{host}/pre/x",
        "javascript:x",
        "a b",
        "a\nb",
        "a\x00b",
        "a#b",
        "\ud800",
        "x" * 70_000,
        None,
        5,
        b"jobs/",
    ],
)
def test_paths_that_lead_elsewhere_are_never_sent(ask: Use, path: Any) -> None:
    with Server(json_answer(200, {})) as server:
        if isinstance(path, str):
            path = path.replace("{host}", server.url[7:-1])
        with pytest.raises(ValidationError) as caught:
            ask(f"{server.url}pre", "request", "GET", path)
    assert server.requests == []
    assert caught.value.status_code == 400
    assert "path" in str(caught.value) or "URL" in str(caught.value)
    assert "S3CRET" not in str(caught.value)


@each_row(
    ("arguments", "options", "named"),
    [
        (("", "x"), {}, "method"),
        (("G ET", "x"), {}, "method"),
        (("GET\r\n", "x"), {}, "method"),
        (("CONNECT", "x"), {}, "method"),
        ((None, "x"), {}, "method"),
        (("GET", "x"), {"params": [("a", 1)]}, "params"),
        (("GET", "x?a=1"), {"params": {"b": 1}}, "params"),
        (("POST", "x"), {"json": 1, "content": b""}, "json and content"),
        (("POST", "x"), {"json": object()}, "body"),
        (("POST", "x"), {"content": 5}, "content"),
        (("POST", "x"), {"headers": {"Authorization": "S3CRET"}}, "Authorization"),
        (("POST", "x"), {"headers": {"Host": "a\r\nb"}}, "Host"),
        (("POST", "x"), {"headers": {"Content-Type": "a/b"}, "json": 1}, "Content-Type"),
        (("POST", "x"), {"headers": {"Content-Type": "a\r\nb"}, "content": ""}, "Content-Type"),
        (("POST", "x"), {"headers": "X: 1"}, "headers"),
    ],
)
def test_bad_requests_are_never_sent(
    ask: Use, arguments: tuple[Any, ...], options: dict[str, Any], named: str
) -> None:
    with Server(json_answer(200, {})) as server, pytest.raises(ValidationError) as caught:
        ask(server.url, "request", *arguments, **options)
    assert server.requests == []
    assert named in str(caught.value)
    assert server.url in str(caught.value)
    assert "S3CRET" not in "".join(traceback.format_exception_only(caught.value))
