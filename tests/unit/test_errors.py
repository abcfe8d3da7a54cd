"""The error tree, and how answers and exceptions become errors."""

from __future__ import annotations

import copy
import json
import pickle
import ssl
import time
import traceback
import typing
from email.utils import formatdate

import anyio
import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk._http._errors import error_from_exception, error_from_response
from synapse_sdk._retry import parse_retry_after
from synapse_sdk.clients import exceptions
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
    StreamError,
    StreamLimitExceededError,
    ValidationError,
    WebSocketError,
)

AGENT = "http://host:1/"
ALL = [getattr(exceptions, name) for name in exceptions.__all__ if name != "FieldError"]


def response_error(status: int, body: object = b"", **headers: str) -> ClientError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_from_response(status, given, raw, operation="get job", agent=AGENT)


def test_tree() -> None:
    assert {c.__name__: c.__base__ for c in ALL} == {
        "ClientError": Exception,
        "ClientConnectionError": ClientError,
        "ClientTimeoutError": ClientError,
        "HTTPError": ClientError,
        "StreamError": ClientError,
        **dict.fromkeys(
            (
                "AuthenticationError",
                "AuthorizationError",
                "NotFoundError",
                "ValidationError",
                "RateLimitError",
                "ServerError",
                "GpuUnavailableError",
            ),
            HTTPError,
        ),
        "StreamLimitExceededError": StreamError,
        "WebSocketError": StreamError,
    }
    for kind in ALL:
        assert kind.__name__ in (exceptions.__doc__ or "")


@each_row("kind", ALL)
@each_row("duplicate", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_copies_keep_everything(kind: type[ClientError], duplicate: object) -> None:
    detail = [{"loc": ["a"], "msg": "m"}]
    error = kind(422, detail, operation="o", agent=AGENT, hint="h", retry_after=1.5, request_id="r")
    error.body = {"detail": 1}
    error.add_note("n")
    twin = duplicate(error)  # type: ignore[operator]
    assert type(twin) is kind
    assert vars(twin) == vars(error)
    assert str(twin) == str(error)
    assert twin.args == error.args


def test_deepcopy_is_deep() -> None:
    error = ClientError(422, [{"loc": ["a"]}])
    copy.deepcopy(error).detail[0]["loc"].append("b")
    assert error.detail == [{"loc": ["a"]}]


@each_row(
    ("error", "text"),
    [
        (
            NotFoundError(404, "no such job", operation="get job", agent=AGENT, hint="hint"),
            "get job at http://host:1/: 404 no such job (hint)",
        ),
        (ClientError(400, "bad"), "400 bad"),
        (ClientError(500), "500"),
        (ClientError(500, None, operation="x"), "x: 500"),
        (ClientError(400, {"message": "m", "code": 1}), "400 m"),
        (ClientError(400, {"name": ["required", "long"]}), "400 name: required, long"),
        (ClientError(500, "a\x1b[31m\nb\u2028c"), "500 a [31m b c"),
        (ClientError(422, []), "422"),
        (
            ClientError(422, [{"loc": ["body", "n", 0], "msg": "m", "input": "secret"}, "x"]),
            "422 body.n.0: m; x",
        ),
        (ClientError(422, [{"msg": "m"}] * 7), "422 m; m; m; m; m; and 2 more"),
    ],
)
def test_text(error: ClientError, text: str) -> None:
    assert str(error) == text


def test_text_is_bounded() -> None:
    assert len(str(ClientError(500, "x" * 10**6))) < 1_100


@each_row(
    ("status", "kind"),
    [
        (400, ValidationError),
        (401, AuthenticationError),
        (403, AuthorizationError),
        (404, NotFoundError),
        (405, HTTPError),
        (408, ClientTimeoutError),
        (409, HTTPError),
        (422, ValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (501, ServerError),
        (502, ServerError),
        (503, ServerError),
        (504, ServerError),
        (520, ServerError),
    ],
)
def test_class_by_status(status: int, kind: type[ClientError]) -> None:
    error = response_error(status, {"detail": "text"})
    assert type(error) is kind
    assert (error.status_code, error.detail, error.operation, error.agent) == (
        status,
        "text",
        "get job",
        AGENT,
    )
    assert error.body == {"detail": "text"}
    assert str(error).startswith(f"get job at {AGENT}: {status} text")


def test_field_errors() -> None:
    fields = [{"loc": ["body", "action"], "msg": "Field required", "type": "missing", "input": {}}]
    error = response_error(422, {"detail": fields})
    assert isinstance(error, ValidationError)
    assert error.detail == fields
    assert error.field_errors == fields
    assert "body.action: Field required" in str(error)


@each_row(
    ("detail", "expected"),
    [
        ("text", []),
        ({"a": 1}, []),
        (["text"], [{"loc": [], "msg": "text", "type": "", "input": None}]),
        ([{"loc": "x", "msg": None}], [{"loc": [], "msg": "", "type": "", "input": None}]),
    ],
)
def test_field_errors_of_odd_details(detail: object, expected: object) -> None:
    assert ValidationError(422, detail).field_errors == expected


@each_row(
    "body",
    [
        {"message": "no GPU", "error_type": "gpu_unavailable", "wanted": 2},
        {"detail": {"message": "no GPU", "error_type": "gpu_unavailable"}},
    ],
)
def test_gpu_unavailable(body: dict[str, object]) -> None:
    error = response_error(503, body)
    assert type(error) is GpuUnavailableError
    assert error.body == body
    assert "503 no GPU" in str(error)


@each_row(
    ("body", "content_type", "detail"),
    [
        (b"plain text", "text/plain", "plain text"),
        (b"", None, "Internal Server Error"),
        (b"{}", "application/json", "Internal Server Error"),
        (b'"a string"', "application/json", "a string"),
        (b'["a"]', "application/json", ["a"]),
        (b'{"error": "e"}', "application/json", "e"),
        (b'{"detail": null, "message": "m"}', "application/json", "m"),
        (b'{"name": ["required"]}', "application/json", {"name": ["required"]}),
        (
            b"<html><head><style>p {}</style></head><body><h1>Bad\n gateway</h1></body></html>",
            "text/html; charset=utf-8",
            "HTML: Bad gateway",
        ),
        (b"<!DOCTYPE html><p>x</p>", None, "HTML: x"),
        (b"\xff\xfe\x00", None, "\ufffd\ufffd"),
        (b'{"detail": "cut', "application/json", '{"detail": "cut'),
    ],
)
def test_every_shape_of_body(body: bytes, content_type: str | None, detail: object) -> None:
    headers = {"content_type": content_type} if content_type else {}
    assert response_error(500, body, **headers).detail == detail


def test_excerpt_is_short_and_has_no_secrets() -> None:
    error = response_error(500, b"Authorization: Token abcdef123 " + b"x" * 100_000)
    assert "abcdef123" not in error.detail
    assert len(error.detail) <= 200


def test_deep_json_is_no_crash() -> None:
    assert response_error(500, b"[" * 100_000).status_code == 500


@given(
    st.integers(400, 599),
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda s: (
            st.lists(s, max_size=3)
            | st.dictionaries(
                st.sampled_from(["detail", "message", "error_type", "loc", "msg", "x"]), s, max_size=3
            )
        ),
        max_leaves=6,
    ),
)
def test_any_body_makes_an_error(status: int, body: object) -> None:
    error = response_error(status, body)
    assert error.status_code == status
    assert str(error).isprintable()
    assert isinstance(pickle.loads(pickle.dumps(error)), ClientError)


def test_echoed_secrets_are_taken_out() -> None:
    error = error_from_response(
        401,
        {},
        json.dumps({"detail": {"bad": ["s3cret-token", {"s3cret-token": 1}]}}).encode(),
        operation="x",
        agent=AGENT,
        redact=lambda text: text.replace("s3cret-token", "***"),
    )
    assert "s3cret-token" not in repr(error)
    assert "s3cret-token" not in repr(vars(error))


@each_row(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("9" * 400, 1e9),
        ("-1", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("inf", None),
        ("nan", None),
        ("٣", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 99 Foo", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


def test_retry_after_date() -> None:
    assert parse_retry_after(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=3)


def test_retry_after_on_the_error() -> None:
    error = response_error(429, {"detail": "slow down"}, retry_after="7")
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 7.0
    assert "try again in 7 s" in str(error)


@each_row(("header", "request_id"), [("a-1", "a-1"), ("", None), ("x" * 129, None), ("a\nb", None)])
def test_request_id_on_the_error(header: str, request_id: str | None) -> None:
    assert response_error(500, x_request_id=header).request_id == request_id
    assert response_error(500).request_id is None


@each_row(
    ("exc", "kind", "status"),
    [
        (httpx.ConnectTimeout("t"), ClientTimeoutError, 408),
        (httpx.ReadTimeout("t"), ClientTimeoutError, 408),
        (httpx.WriteTimeout("t"), ClientTimeoutError, 408),
        (httpx.PoolTimeout("t"), ClientTimeoutError, 408),
        (TimeoutError(), ClientTimeoutError, 408),
        (httpx.ConnectError("refused"), ClientConnectionError, 503),
        (httpx.ReadError("r"), ClientConnectionError, 503),
        (httpx.RemoteProtocolError("r"), ClientConnectionError, 503),
        (httpx.ProxyError("407"), ClientConnectionError, 503),
        (httpcore.ReadError("r"), ClientConnectionError, 503),
        (anyio.BrokenResourceError(), ClientConnectionError, 503),
        (anyio.ClosedResourceError(), ClientConnectionError, 503),
        (anyio.EndOfStream(), ClientConnectionError, 503),
        (ssl.SSLError("s"), ClientConnectionError, 503),
        (ConnectionResetError("r"), ClientConnectionError, 503),
        (OSError("o"), ClientConnectionError, 503),
        (RuntimeError("Cannot send a request, as the client has been closed."), ClientConnectionError, 503),
        (httpx.InvalidURL("u"), ValidationError, 400),
        (httpx.UnsupportedProtocol("u"), ValidationError, 400),
        (httpx.DecodingError("d"), ServerError, 500),
        (RecursionError("r"), ServerError, 500),
        (json.JSONDecodeError("m", "d", 0), ServerError, 500),
        (ValueError("v"), ServerError, 500),
        (RuntimeError("r"), ServerError, 500),
    ],
)
def test_exceptions(exc: Exception, kind: type[ClientError], status: int) -> None:
    error = error_from_exception(exc, operation="get job", agent=AGENT)
    assert type(error) is kind
    assert error.status_code == status
    assert str(error).startswith(f"get job at {AGENT}: {status} ")


def test_a_client_error_stays() -> None:
    error = ClientError(400)
    assert error_from_exception(error, operation="x", agent=AGENT) is error


def test_timeouts_name_their_seconds() -> None:
    request = httpx.Request("GET", AGENT, extensions={"timeout": {"read": 2.5, "connect": None}})
    error = error_from_exception(httpx.ReadTimeout("t", request=request), operation="x", agent=AGENT)
    assert "no answer within 2.5 s" in str(error)
    error = error_from_exception(httpx.ConnectTimeout("t", request=request), operation="x", agent=AGENT)
    assert "no connection in time" in str(error)


def test_certificate_failures_say_what_to_do() -> None:
    exc = httpx.ConnectError("certificate verify failed")
    exc.__cause__ = ssl.SSLCertVerificationError("self-signed")
    assert "verify=" in str(error_from_exception(exc, operation="x", agent=AGENT))


def test_status_error_of_an_event_hook() -> None:
    request = httpx.Request("GET", AGENT)
    response = httpx.Response(404, json={"detail": "gone"}, request=request)
    exc = httpx.HTTPStatusError("m", request=request, response=response)
    error = error_from_exception(exc, operation="x", agent=AGENT)
    assert isinstance(error, NotFoundError)
    assert error.detail == "gone"


def test_stream_errors_are_no_http_errors() -> None:
    assert not issubclass(StreamLimitExceededError, HTTPError)
    assert not issubclass(WebSocketError, HTTPError)


def test_where_an_error_is_defined_does_not_show() -> None:
    error = exceptions.NotFoundError(404, "no such job")
    assert type(error).__module__ == "synapse_sdk.clients.exceptions"
    assert "synapse_sdk.clients.exceptions.NotFoundError: 404" in "".join(traceback.format_exception(error))
    assert b"synapse_sdk.clients.exceptions" in pickle.dumps(error)
    assert typing.get_type_hints(ClientError)["detail"] is typing.Any
    assert typing.get_type_hints(exceptions.FieldError)["msg"] is str
