"""Both transports: what is sent, what is repeated, what comes back and what is raised."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import os
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trio
from tables import each_row

from synapse_agent_api.client import NO_BODY, Arguments, Operation
from synapse_sdk import _retry
from synapse_sdk._config import ClientConfig
from synapse_sdk._rest._async import AsyncApiClient
from synapse_sdk._rest._sync import ApiClient
from synapse_sdk.clients.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    GpuUnavailableError,
    HTTPError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)

from .scripted_server import Server, answer, drop, hang, json_answer, reset

TOKENS = {"agent_token": "S3CRET-agent", "user_token": "S3CRET-user", "tenant": "S3CRET-tenant"}


def as_object(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"expected object, got {type(data).__name__}")
    return data


def as_text(data: object) -> str:
    if not isinstance(data, str):
        raise ValueError(f"expected text, got {type(data).__name__}")
    return data


def nothing(data: object) -> None:
    return None


GET: Operation[Any] = Operation(
    id="get_job", method="GET", path="jobs/{job_id}/", summary="get job", decoders={200: as_object}
)
LIST: Operation[Any] = Operation(
    id="list_jobs", method="GET", path="jobs/", summary="list jobs", decoders={200: as_object}
)
POST: Operation[Any] = Operation(
    id="make", method="POST", path="make/", summary="make it", decoders={201: as_object, 202: as_object}
)
PATCH: Operation[Any] = Operation(
    id="patch", method="PATCH", path="make/", summary="change it", decoders={200: as_object}
)
DELETE: Operation[Any] = Operation(
    id="delete", method="DELETE", path="make/{lookup}", summary="delete it", decoders={204: nothing}
)
LOGS: Operation[Any] = Operation(
    id="logs",
    method="GET",
    path="jobs/{job_id}/logs/",
    summary="get logs",
    decoders={200: as_text},
    text=True,
)
JOB = Arguments(path={"job_id": "j1"})

Call = Callable[..., Any]
Reply = Callable[[], httpx.Response]
JSON = {"content-type": "application/json"}


def reply(status: int, **options: Any) -> Reply:
    """Make a response for each test anew, since one can be read only once."""
    return lambda: httpx.Response(status, **options)


@pytest.fixture
def call(backend: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Make one call with a fresh transport."""
    monkeypatch.setattr(_retry, "backoff", lambda attempt: 0.001)

    def called(
        url: str,
        operation: Operation[Any],
        arguments: Arguments | None = None,
        *,
        handler: Callable[[httpx.Request], httpx.Response] | None = None,
        http_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        connection = ClientConfig(url, **{**TOKENS, **options})
        given = arguments or Arguments()
        injected = {
            **({"transport": httpx.MockTransport(handler)} if handler else {}),
            **(http_options or {}),
        }
        if backend == "sync":
            http = httpx.Client(**injected) if injected else None
            transport = ApiClient.open(connection, http_client=http)
            try:
                return transport.call(operation, given)
            finally:
                transport.close()
                if http is not None:
                    http.close()

        async def main() -> Any:
            http = httpx.AsyncClient(**injected) if injected else None
            transport = AsyncApiClient.open(connection, http_client=http)
            try:
                return await transport.call(operation, given)
            finally:
                await transport.aclose()
                if http is not None:
                    await http.aclose()

        return anyio.run(main, backend=backend)

    return called


def mocked(call: Call, response: Reply, operation: Operation[Any] = GET, **options: Any) -> Any:
    arguments = Arguments(path={"job_id": "j1", "lookup": "x"}, body=NO_BODY)
    return call("http://agent/", operation, arguments, handler=lambda request: response(), **options)


# What is sent


def test_a_request(call: Call) -> None:
    with Server(json_answer(200, {"a": 1})) as server:
        arguments = Arguments(query={"b": True, "c": None, "d": ["x", 1], "e": "ä&="})
        assert call(server.url + "prefix", LIST, arguments, headers={"X-Extra": "1"}) == {"a": 1}
    (request,) = server.requests
    assert request.method == "GET"
    assert request.target == "/prefix/jobs/?b=true&d=x&d=1&e=%C3%A4%26%3D"
    assert request.all("authorization") == ["S3CRET-agent"]
    assert request.all("synapse-user") == ["Token S3CRET-user"]
    assert request.all("synapse-tenant") == ["Token S3CRET-tenant"]
    assert request.all("x-extra") == ["1"]
    assert request.all("accept") == ["application/json"]
    assert request.header(
        "user-agent",
    ).startswith("synapse-sdk/")  # type: ignore[union-attr]
    assert request.header("content-length") is None


def test_optional_credentials(call: Call) -> None:
    with Server(json_answer(200, {})) as server:
        call(server.url, LIST, user_token=None, tenant=None)
    (request,) = server.requests
    assert request.all("synapse-user") == request.all("synapse-tenant") == []


@each_row(("body", "sent"), [({"ä": [1, None]}, '{"ä":[1,null]}'.encode()), (None, b"null"), ([], b"[]")])
def test_json_bodies(call: Call, body: object, sent: bytes) -> None:
    with Server(json_answer(201, {})) as server:
        call(server.url, POST, Arguments(body=body))
    (request,) = server.requests
    assert request.body == sent
    assert request.all("content-type") == ["application/json"]


@each_row("body", [{"a": object()}, {"a": float("nan")}, {"a": {1, 2}}, {"a": "\ud800"}])
def test_bodies_that_are_no_json(call: Call, body: object) -> None:
    with pytest.raises(ValidationError, match=r"make it at http://127\.0\.0\.1:9/: 400 the body"):
        call("http://127.0.0.1:9/", POST, Arguments(body=body))


def test_a_body_without_an_end(call: Call) -> None:
    endless: list[object] = []
    endless.append(endless)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for body in (endless, deep):
        with pytest.raises(ValidationError):
            call("http://127.0.0.1:9/", POST, Arguments(body=body))


def test_files(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"zip\x00zip")
    for file, name in (
        (path, "a.zip"),
        (str(path), "a.zip"),
        (b"zip\x00zip", "upload"),
        (io.BytesIO(b"zip\x00zip"), "upload"),
    ):
        with Server(json_answer(202, {"id": 1})) as server:
            arguments = Arguments(body={"a": "b", "c": {"d": 1}, "e": True, "f": None}, files={"file": file})
            assert call(server.url, POST, arguments) == {"id": 1}
        (request,) = server.requests
        kind = request.header("content-type") or ""
        assert kind.startswith("multipart/form-data; boundary=")
        assert kind.split("boundary=")[1] in request.body.decode("latin-1")
        for part in (b'name="a"\r\n\r\nb\r\n', b'name="c"\r\n\r\n{"d":1}\r\n', b'name="e"\r\n\r\ntrue\r\n'):
            assert part in request.body
        assert f'name="file"; filename="{name}"'.encode() in request.body
        assert b"zip\x00zip\r\n" in request.body
        assert b'name="f"' not in request.body


def test_a_file_is_whole_after_a_refused_connection(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"content")
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if not bodies:
            bodies.append(b"")
            raise httpx.ConnectError("refused", request=request)
        bodies.append(request.content)
        return httpx.Response(201, json={})

    call("http://agent/", POST, Arguments(files={"file": path}), handler=handler)
    assert b"content" in bodies[1]


@each_row("file", ["/no/such/file", Path("/"), io.StringIO("text"), 5])
def test_bad_files(call: Call, file: object) -> None:
    with pytest.raises(ValidationError) as caught:
        call("http://127.0.0.1:9/", POST, Arguments(files={"file": file}))
    assert caught.value.status_code == 400


@each_row("bad", ["", "a/b", "..", "x" * 101])
def test_bad_ids_are_never_sent(call: Call, bad: str) -> None:
    with Server(json_answer(200, {})) as server:
        with pytest.raises(ValidationError, match=r"get job at .*: 400 job id"):
            call(server.url, GET, Arguments(path={"job_id": bad}))
        with pytest.raises(ValidationError):
            call(server.url, LIST, Arguments(query={"a": "\ud800"}))
    assert server.requests == []


def test_the_defaults_of_an_injected_client_do_not_replace_credentials(call: Call) -> None:
    with Server(json_answer(200, {})) as server:
        options = {"auth": ("user", "pass"), "headers": {"Authorization": "other", "X-Mine": "1"}}
        call(server.url, LIST, http_options=options)
    (request,) = server.requests
    assert request.all("authorization") == ["S3CRET-agent"]
    assert request.all("x-mine") == ["1"]


# What comes back


@each_row(
    "response",
    [
        reply(200, json={"a": "ü"}),
        reply(200, content='{"a": "ü"}'.encode()),
        reply(200, text='{"a": "ü"}'),
        reply(
            200, content=b"\xef\xbb\xbf" + '{"a": "ü"}'.encode(), headers={"content-type": "application/json"}
        ),
        reply(200, content=gzip.compress('{"a": "ü"}'.encode()), headers={"content-encoding": "gzip"}),
        reply(203, json={"a": "ü"}),
        reply(299, json={"a": "ü"}),
    ],
)
def test_successes(call: Call, response: Reply) -> None:
    assert mocked(call, response) == {"a": "ü"}


@each_row(
    ("response", "said"),
    [
        (reply(200, html="<html><body>Sign in</body></html>"), "text/html"),
        (reply(200, content=b'{"a": 1}', headers={"content-type": "text/html"}), "text/html"),
        (reply(200, content=b'{"a": "cut', headers={"content-type": "application/json"}), "not JSON"),
        (reply(200, content=b"hello", headers={"content-type": "text/plain"}), "text/plain"),
        (reply(200, content=b"hello"), "missing"),
        (
            reply(200, content=b"\xff\xfe\xfd", headers={"content-type": "application/json"}),
            "not JSON",
        ),
        (reply(200, content=b"[" * 100_000), "deep"),
        (reply(200, content=b"1" * 10_000), "limit"),
        (reply(200), "empty"),
        (reply(200, headers={"content-type": "application/json"}), "empty"),
        (reply(204), "empty"),
        (reply(200, json=[1]), "expected object, got list"),
        (reply(200, content=b"null", headers=JSON), "expected object, got NoneType"),
        (reply(206, html="<p>x"), "text/html"),
    ],
)
def test_successes_that_cannot_be_used(call: Call, response: Reply, said: str) -> None:
    with pytest.raises(ServerError) as caught:
        mocked(call, response)
    assert caught.value.status_code == response().status_code
    assert said in str(caught.value)
    assert caught.value.__cause__ is not None
    assert len(str(caught.value)) < 700


def test_an_unusable_success_has_an_excerpt(call: Call) -> None:
    with pytest.raises(ServerError, match="it begins: HTML: Sign in"):
        mocked(call, reply(200, html="<html><body><h1>Sign in</h1>" + "x" * 10_000))


# httpx leaves its generators to the garbage collector here, and trio says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_that_cannot_be_decompressed(call: Call) -> None:
    head = answer(200, b"no gzip at all", "application/json", Content_Encoding="gzip")
    with Server(head) as server, pytest.raises(ServerError) as caught:
        call(server.url, LIST)
    assert caught.value.status_code == 200
    assert len(server.requests) == 1


@each_row(
    "response",
    [
        reply(204),
        reply(200),
        reply(200, json={"deleted": True}),
        reply(202, text="on its way"),
    ],
)
def test_where_nothing_is_due(call: Call, response: Reply) -> None:
    assert mocked(call, response, DELETE) is None


def test_where_nothing_is_due_a_sign_in_page_is_no_success(call: Call) -> None:
    with pytest.raises(ServerError, match="text/html"):
        mocked(call, reply(200, html="<p>Sign in"), DELETE)


@each_row(
    ("response", "text"),
    [
        (reply(200, json="a\nb\u2028\n"), "a\nb\u2028\n"),
        (reply(200, json=""), ""),
        (reply(200, json={"logs": "a\n"}), "a\n"),
        (reply(200, text="a\r\nb\n"), "a\r\nb\n"),
        (reply(200, text="42"), "42"),
        (reply(200, text='"quoted"'), '"quoted"'),
        (reply(200, text=""), ""),
        (reply(200, content=b'"json"'), "json"),
        (reply(200, content=b'{"logs": "x"}'), "x"),
        (reply(200, content=b"42"), "42"),
        (reply(200, content=b"plain"), "plain"),
        (reply(200, content=b"a\xff\n", headers={"content-type": "text/plain"}), "a\ufffd\n"),
        (reply(200, content=b"\xe4", headers={"content-type": "text/plain; charset=latin-1"}), "ä"),
        (reply(200, content=b"a", headers={"content-type": "text/plain; charset=hex"}), "a"),
        (reply(200, content=b"a", headers={"content-type": "text/plain; charset=nonsense"}), "a"),
    ],
)
def test_texts(call: Call, response: Reply, text: str) -> None:
    assert mocked(call, response, LOGS) == text


@each_row(
    "response",
    [
        reply(200, html="<html>Sign in</html>"),
        reply(200, content=b'"cut', headers=JSON),
        reply(200, content=b"", headers=JSON),
        reply(200, json=42),
        reply(200, json=["a"]),
        reply(200, content=b"null", headers=JSON),
        reply(200, json={"logs": 1}),
        reply(204),
    ],
)
def test_what_is_no_text(call: Call, response: Reply) -> None:
    with pytest.raises(ServerError) as caught:
        mocked(call, response, LOGS)
    assert caught.value.status_code == response().status_code


# Errors


@each_row(
    ("status", "kind"),
    [
        (400, ValidationError),
        (401, AuthenticationError),
        (403, AuthorizationError),
        (404, NotFoundError),
        (408, ClientTimeoutError),
        (409, HTTPError),
        (422, ValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_statuses(call: Call, status: int, kind: type[ClientError]) -> None:
    with Server(json_answer(status, {"detail": "text"})) as server, pytest.raises(ClientError) as caught:
        call(server.url, GET, JOB, max_retries=0)
    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.detail) == (status, "text")
    assert str(caught.value).startswith(f"get job at {server.url}: {status} text")


def test_gpu_unavailable(call: Call) -> None:
    step = json_answer(503, {"message": "none", "error_type": "gpu_unavailable"})
    with Server(step) as server, pytest.raises(GpuUnavailableError):
        call(server.url, POST)
    assert len(server.requests) == 1


@each_row("status", [300, 304, 305, 399])
def test_odd_statuses(call: Call, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        mocked(call, reply(status))
    assert caught.value.status_code == status


def test_nobody_listens(call: Call) -> None:
    with pytest.raises(ClientConnectionError) as caught:
        call("http://127.0.0.1:9/", GET, JOB, max_retries=1)
    assert caught.value.status_code == 503
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert "is the agent running" in str(caught.value)


def test_an_unknown_host(call: Call) -> None:
    with pytest.raises(ClientConnectionError):
        call("http://no-such-host.invalid/", GET, JOB, max_retries=0)


def test_no_answer(call: Call) -> None:
    with Server(hang) as server, pytest.raises(ClientTimeoutError) as caught:
        call(server.url, GET, JOB, timeout={"read": 0.1}, max_retries=0)
    assert caught.value.status_code == 408
    assert "no answer within 0.1 s" in str(caught.value)


@each_row("fault", [drop, reset])
def test_the_connection_breaks(call: Call, fault: Any) -> None:
    with Server(fault) as server, pytest.raises(ClientConnectionError) as caught:
        call(server.url, GET, JOB, max_retries=1)
    assert caught.value.status_code == 503
    assert len(server.requests) == 2


@each_row(
    "raw",
    [
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_garbage(call: Call, raw: bytes) -> None:
    def send(connection: Any, request: Any) -> None:
        connection.sendall(raw)
        raise ConnectionAbortedError

    with Server(send) as server, pytest.raises(ClientConnectionError):
        call(server.url, GET, JOB, max_retries=0)


def test_a_body_that_ends_too_soon(call: Call) -> None:
    def send(connection: Any, request: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        raise ConnectionAbortedError

    with Server(send, json_answer(200, {"a": 1})) as server:
        assert call(server.url, GET, JOB) == {"a": 1}
    with Server(send) as server, pytest.raises(ClientConnectionError):
        call(server.url, POST)
    assert len(server.requests) == 1


def test_tls_against_plain_http(call: Call) -> None:
    with Server(drop, greeting=answer(400)) as server, pytest.raises(ClientConnectionError):
        call(server.url.replace("http:", "https:"), GET, JOB, max_retries=0)


@each_row(
    "exc",
    [
        ssl.SSLError("x"),
        OSError("x"),
        ValueError("x"),
        RuntimeError("x"),
        httpx.StreamClosed(),
        KeyError("x"),
    ],
)
def test_nothing_foreign_gets_out(call: Call, exc: Exception) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise exc

    with pytest.raises(ClientError) as caught:
        call("http://agent/", GET, JOB, handler=handler)
    assert caught.value.__cause__ is exc


def test_a_client_error_of_a_hook_passes_as_it_is(call: Call) -> None:
    error = ClientError(418, "teapot")

    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ClientError) as caught:
        call("http://agent/", GET, JOB, handler=handler)
    assert caught.value is error
    assert error.__cause__ is None


def test_interrupts_pass() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        transport = ApiClient.open(ClientConfig("http://agent/", "t"), http_client=http)
        with pytest.raises(KeyboardInterrupt):
            transport.call(GET, JOB)


def test_cancellation_passes_and_gives_the_connection_back() -> None:
    with Server(hang) as server:

        async def with_asyncio() -> None:
            transport = AsyncApiClient.open(ClientConfig(server.url, "t"))
            task = asyncio.create_task(transport.call(GET, JOB))
            while not server.requests:  # noqa: ASYNC110 - filled by a thread
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not transport.http._transport._pool._all  # type: ignore[attr-defined]
            await transport.aclose()

        asyncio.run(with_asyncio())
        server.requests.clear()

        async def with_trio() -> None:
            transport = AsyncApiClient.open(ClientConfig(server.url, "t"))
            with trio.move_on_after(0.3) as scope:
                await transport.call(GET, JOB)
            assert scope.cancelled_caught
            assert not transport.http._transport._pool._all  # type: ignore[attr-defined]
            await transport.aclose()

        trio.run(with_trio)


# Retries


@each_row("status", [502, 503, 504])
def test_a_get_survives_two_failures(call: Call, status: int) -> None:
    with Server(answer(status), answer(status, b"<p>x", "text/html"), json_answer(200, {"a": 1})) as server:
        assert call(server.url, GET, JOB) == {"a": 1}
    assert len(server.requests) == 3


def test_the_third_failure_is_raised(call: Call) -> None:
    with Server(json_answer(503, {"detail": "busy"})) as server, pytest.raises(ServerError, match="503 busy"):
        call(server.url, GET, JOB)
    assert len(server.requests) == 3


@each_row("operation", [POST, PATCH])
@each_row("step", [answer(503, b"", None, Retry_After="0"), drop, reset])
def test_what_may_have_arrived_is_not_repeated(call: Call, operation: Operation[Any], step: Any) -> None:
    with Server(step) as server, pytest.raises(ClientError):
        call(server.url, operation, Arguments(body={}))
    assert len(server.requests) == 1


def test_a_delete_is_repeated(call: Call) -> None:
    with Server(drop, answer(502), answer(204)) as server:
        assert call(server.url, DELETE, Arguments(path={"lookup": "code@1"})) is None
    assert [request.target for request in server.requests] == ["/make/code@1"] * 3


@each_row("operation", [POST, PATCH, LIST])
def test_a_refused_connection_is_repeated_for_any_method(call: Call, operation: Operation[Any]) -> None:
    tries: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        tries.append(request.method)
        if len(tries) < 3:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, json={})

    assert call("http://agent/", operation, Arguments(body={}), handler=handler) == {}
    assert len(tries) == 3


def test_a_timeout_is_repeated_for_a_get_only(call: Call) -> None:
    with Server(hang, json_answer(200, {})) as server:
        assert call(server.url, GET, JOB, timeout={"read": 0.2}) == {}
    with Server(hang) as server, pytest.raises(ClientTimeoutError):
        call(server.url, POST, timeout={"read": 0.2})
    assert len(server.requests) == 1


def test_retry_after(call: Call) -> None:
    with Server(answer(429, b"", None, Retry_After="0.3"), json_answer(200, {})) as server:
        start = time.monotonic()
        assert call(server.url, GET, JOB) == {}
        assert time.monotonic() - start >= 0.3
    with Server(answer(429)) as server, pytest.raises(RateLimitError):
        call(server.url, GET, JOB)
    assert len(server.requests) == 1


def test_every_try_asks_for_fresh_tokens(call: Call) -> None:
    tokens = iter(["first", "second"])
    with Server(answer(503), json_answer(200, {})) as server:
        call(server.url, GET, JOB, agent_token=lambda: next(tokens))
    assert [request.header("authorization") for request in server.requests] == ["first", "second"]


def test_a_token_callable_that_fails(call: Call) -> None:
    def ask() -> str:
        raise OSError("vault is sealed")

    with pytest.raises(AuthenticationError, match=r"get job at http://127\.0\.0\.1:9/: 401") as caught:
        call("http://127.0.0.1:9/", GET, JOB, agent_token=ask)
    assert isinstance(caught.value.__cause__, OSError)


# Redirects


@each_row("status", [301, 302, 303, 307, 308])
@each_row("relative", [True, False])
def test_a_get_follows_within_the_origin(call: Call, status: int, relative: bool) -> None:
    steps: list[Any] = [None, json_answer(200, {"a": 1})]
    with Server(*steps) as server:
        location = "/elsewhere?x=1" if relative else server.url + "elsewhere?x=1"
        server.steps = (answer(status, b"", None, Location=location), steps[1])
        assert call(
            server.url, LIST, Arguments(query={"q": "1"}), http_options={"follow_redirects": True}
        ) == {"a": 1}
    assert [request.target for request in server.requests] == ["/jobs/?q=1", "/elsewhere?x=1"]
    assert server.requests[1].all("authorization") == ["S3CRET-agent"]


def test_another_origin_gets_nothing(call: Call) -> None:
    with Server(json_answer(200, {})) as other:
        location = other.url + "steal?t=hidden"
        with Server(answer(302, b"", None, Location=location)) as server, pytest.raises(HTTPError) as caught:
            call(server.url, GET, JOB, http_options={"follow_redirects": True})
    assert other.requests == []
    assert caught.value.status_code == 302
    assert other.url.rstrip("/") in str(caught.value)
    assert "hidden" not in str(caught.value)


@each_row("location", ["http://u:p@{host}/", "https://{host}/", "//evil/", "ftp://x", "http://[", None])
def test_odd_locations(call: Call, location: str | None) -> None:
    with Server(answer(200)) as server:
        host = server.url.split("/")[2]
        given = {} if location is None else {"Location": location.format(host=host)}
        server.steps = (answer(301, b"", None, **given),)
        with pytest.raises(HTTPError) as caught:
            call(server.url, GET, JOB)
    assert len(server.requests) == 1
    assert "u:p" not in str(caught.value)


def test_a_post_is_not_redirected(call: Call) -> None:
    with (
        Server(answer(307, b"", None, Location="/elsewhere")) as server,
        pytest.raises(HTTPError, match="307"),
    ):
        call(server.url, POST, Arguments(body={}))
    assert len(server.requests) == 1


def test_round_and_round(call: Call) -> None:
    with (
        Server(answer(302, b"", None, Location="/again")) as server,
        pytest.raises(HTTPError, match="more than 5"),
    ):
        call(server.url, GET, JOB)
    assert len(server.requests) == 6


# Secrets


@pytest.mark.parametrize(
    "step",
    [
        json_answer(
            401, {"detail": "bad S3CRET-agent, Token S3CRET-user", "S3CRET-tenant": ["S3CRET-agent"]}
        ),
        answer(500, b"Authorization: S3CRET-agent SYNAPSE-User: Token S3CRET-user", "text/plain"),
        answer(200, b"S3CRET-agent S3CRET-tenant", "text/plain"),
        answer(200, b"<p>S3CRET-agent", "text/html"),
        answer(302, b"", None, Location="http://S3CRET-agent:x@evil/S3CRET-user?S3CRET-tenant"),
        drop,
    ],
)
def test_tokens_are_shown_nowhere(call: Call, step: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = TOKENS["agent_token"]
    with Server(step) as server, pytest.raises(ClientError) as caught:
        call(server.url, GET, JOB, headers={"X-Key": secret})
    error = caught.value
    shown = f"{error} {error!r} {vars(error)} {''.join(traceback.format_exception(error))}"
    own_lines = "\n".join(record.getMessage() for record in caplog.records if record.name == "synapse_sdk")
    assert "get job: GET" in own_lines
    assert "S3CRET" not in shown
    if not isinstance(step, bytes) or b"Location" not in step:
        # httpcore logs the headers of answers, which are the agent's.
        assert "S3CRET" not in caplog.text
    assert "S3CRET" not in own_lines


def test_logs(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="synapse_sdk")
    with Server(answer(503), json_answer(200, {})) as server:
        call(server.url, LIST, Arguments(query={"secret": "hidden"}))
    lines = [record.getMessage() for record in caplog.records if record.name == "synapse_sdk"]
    assert lines[0] == f"list jobs: GET {server.url}jobs/"
    assert "retry 1 in" in lines[1]
    assert lines[-1] == "list jobs: answered 200, 2 bytes"
    assert "hidden" not in "".join(lines)


# Opening and closing


def test_closed(backend: str) -> None:
    with Server(json_answer(200, {})) as server:
        connection = ClientConfig(server.url, "t")
        if backend == "sync":
            transport = ApiClient.open(connection)
            transport.call(GET, JOB)
            transport.close()
            transport.close()
            with pytest.raises(ClientConnectionError, match="closed"):
                transport.call(GET, JOB)
            return

        async def main() -> None:
            transport = AsyncApiClient.open(connection)
            await transport.call(GET, JOB)
            await transport.aclose()
            await transport.aclose()
            with pytest.raises(ClientConnectionError, match="closed"):
                await transport.call(GET, JOB)

        anyio.run(main, backend=backend)


def test_an_injected_client_stays_open() -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json={}))) as http:
        transport = ApiClient.open(ClientConfig("http://agent/", "t"), http_client=http)
        transport.close()
        assert not http.is_closed
        assert transport.closed
        other = ApiClient.open(ClientConfig("http://agent/", "t"), http_client=http)
    with pytest.raises(ClientConnectionError, match=r"get job at http://agent/: 503 .*closed"):
        other.call(GET, JOB)


def test_wrong_kinds_of_clients() -> None:
    connection = ClientConfig("http://agent/", "t")
    with httpx.Client() as http:
        with pytest.raises(
            ValidationError, match=r"AsyncAgentClient must be an httpx\.AsyncClient, not an httpx\.Client"
        ):
            AsyncApiClient.open(connection, http_client=http)  # type: ignore[arg-type]
        for options in ({"verify": False}, {"proxy": "http://p"}):
            with pytest.raises(ValidationError, match="verify and proxy"):
                ApiClient.open(connection, http_client=http, **options)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=r"httpx\.Client, not an httpx\.AsyncClient"):
        ApiClient.open(connection, http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="not a str"):
        ApiClient.open(connection, http_client="http://x")  # type: ignore[arg-type]


@each_row("kind", [ApiClient, AsyncApiClient])
@each_row(
    "options",
    [
        {"verify": "/no/such/file"},
        {"verify": __file__},
        {"verify": 5},
        {"verify": None},
        {"proxy": 5},
        {"proxy": "ftp://u:S3CRET@p"},
        {"proxy": "p:1"},
        {"proxy": "http://u:S3CRET@p:x"},
    ],
)
def test_bad_options(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        kind.open(ClientConfig("http://agent/", "t"), **options)
    assert caught.value.status_code == 400
    assert "S3CRET" not in str(caught.value)


def test_socks_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    with pytest.raises(ServerError, match="500 a library"):
        ApiClient.open(ClientConfig("http://agent/", "t"), proxy="socks5://p")


def test_certificates(tmp_path: Path) -> None:
    certifi = httpx.create_ssl_context()
    for verify in (False, certifi, tmp_path, os.fspath(tmp_path)):
        ApiClient.open(ClientConfig("https://agent/", "t"), verify=verify).close()


def test_a_proxy_is_used() -> None:
    with Server(json_answer(200, {"via": "proxy"})) as proxy:
        transport = ApiClient.open(ClientConfig("http://agent.invalid/", "t"), proxy=proxy.url)
        assert transport.call(LIST, Arguments()) == {"via": "proxy"}
        transport.close()
    assert proxy.requests[0].target == "http://agent.invalid/jobs/"


def test_threads_share_a_transport() -> None:
    with Server(json_answer(200, {"a": 1})) as server:
        transport = ApiClient.open(ClientConfig(server.url, "t"))
        results: list[object] = []
        threads = [
            threading.Thread(target=lambda: results.append(transport.call(GET, JOB))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        transport.close()
    assert results == [{"a": 1}] * 8


def test_one_connection_serves_many_calls() -> None:
    with Server(json_answer(200, {"a": 1}), json_answer(404, {}), json_answer(200, [])) as server:
        transport = ApiClient.open(ClientConfig(server.url, "t"))
        transport.call(GET, JOB)
        for _ in range(2):
            with pytest.raises(HTTPError):
                transport.call(GET, JOB)
        assert len(server._connections) == 1
        transport.close()
