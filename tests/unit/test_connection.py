"""What a connection takes, sends and shows."""

from __future__ import annotations

import copy
import logging
import math
import pickle
import socket
import traceback
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk._config import ClientConfig
from synapse_sdk._redaction import Secret
from synapse_sdk._validation import encode_path
from synapse_sdk.clients.exceptions import AuthenticationError, ClientError, ValidationError

AGENT = "http://host:1/"


@each_row(
    ("given", "kept"),
    [
        ("http://host", "http://host/"),
        ("http://host/", "http://host/"),
        ("HTTPS://Host:8443/a/b", "https://host:8443/a/b/"),
        ("http://host:80/", "http://host/"),
        ("http://host/a%2Fb", "http://host/a%2Fb/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
        ("http://bücher.example", "http://xn--bcher-kva.example/"),
        ("http://BÜCHER.Example", "http://xn--bcher-kva.example/"),
        ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example/"),
        ("https://host.example.:8443/a", "https://host.example:8443/a/"),
        ("https://bücher.example。", "https://xn--bcher-kva.example/"),
        ("http://127.0.0.1", "http://127.0.0.1/"),
        ("http://a_b-c.example", "http://a_b-c.example/"),
        ("http://" + "a" * 63 + ".example", "http://" + "a" * 63 + ".example/"),
        ("http://[fe80::1%25eth0]:8000/a", "http://[fe80::1%eth0]:8000/a/"),
        ("http://[fe80::1%eth0]", "http://[fe80::1%eth0]/"),
    ],
)
def test_base_urls(given: str, kept: str) -> None:
    connection = ClientConfig(given, "t")
    assert connection.agent == str(connection.base_url) == kept
    assert str(connection.url("jobs/a%2Fb/")) == kept + "jobs/a%2Fb/"


@each_row(
    "url",
    [
        "",
        "host",
        "host:8000",
        "/path",
        "//host",
        "ftp://host",
        "ws://host",
        "http://",
        "http:///path",
        "http://user:S3CRET@host",
        "http://S3CRET@host",
        "http://host?a=S3CRET",
        "http://host#S3CRET",
        "http://host?",
        "http://host#",
        "http://host:0",
        "http://host:65536",
        "http://host:x",
        "http://ho st",
        "http://host/\n",
        "http://host\r\nX: y",
        "http://[::1",
        "http://\u2060",
        "http://h/" + "x" * 70_000,
        "http://xn--/",
        "http://xn--zzzzzz/",
        "http://☃.example/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "ü" * 60 + ".example/",
        "http://" + ".".join(["a" * 50] * 6) + "/",
        "http://.",
        "http://host..",
        "http://a..b",
        "http://.host",
        "http://[fe80::1%]",
        "http://[fe80::1%25]",
        "http://[fe80::1%25a b]",
        "http://[fe80::1%25a/b]",
        None,
        1,
        b"http://host",
        [],
    ],
)
def test_bad_base_urls(url: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ClientConfig(url, "t")  # type: ignore[arg-type]
    assert caught.value.status_code == 400
    assert "base_url" in str(caught.value)
    assert "S3CRET" not in "".join(traceback.format_exception(caught.value))


def test_userinfo_is_refused_with_a_hint() -> None:
    with pytest.raises(ValidationError, match=r"user name or password.*agent_token"):
        ClientConfig("http://token@host", "t")


def test_the_zone_of_an_address_is_never_in_the_host_header() -> None:
    connection = ClientConfig("http://[fe80::1%25eth0]:8000/", "t")
    url = connection.url("jobs/")
    assert url.host == "fe80::1%eth0"  # what is connected to
    request = httpx.Request("GET", url, headers=connection.request_headers())
    assert request.headers["host"] == "[fe80::1]:8000"
    assert request.headers.get_list("host") == ["[fe80::1]:8000"]
    assert "host" not in {name.lower() for name in ClientConfig("http://[fe80::1]:8000/", "t").headers()}
    own = ClientConfig("http://[fe80::1%eth0]/", "t", headers={"host": "agent"})
    assert httpx.Request("GET", url, headers=own.request_headers()).headers.get_list("host") == ["agent"]


def test_the_zone_of_any_address_can_be_resolved() -> None:
    _, interface = socket.if_nameindex()[0]
    host = ClientConfig(f"http://[::1%25{interface}]:8000/", "t").base_url.host
    assert socket.getaddrinfo(host, 8000)[0][4][:2] == ("::1", 8000)


def test_urls_of_an_agent_that_does_not_know_its_zone() -> None:
    connection = ClientConfig("http://[fe80::1%eth0]:8000/", "t")
    following = httpx.URL("http://[fe80::1]:8000/jobs/?page=2")
    assert connection.same_origin(following)
    assert str(connection.with_zone(following)) == "http://[fe80::1%eth0]:8000/jobs/?page=2"
    assert not connection.same_origin(httpx.URL("http://[fe80::2]:8000/"))


@each_row("url", ["http://xn--/", "http://xn--zzzzzz/"])
def test_a_host_that_can_not_be_decoded_is_another_origin(url: str) -> None:
    assert not ClientConfig(AGENT, "t").same_origin(httpx.URL(url))


@each_row(
    ("timeout", "expected"),
    [
        (None, (3, 10, 10, 3)),
        ({}, (3, 10, 10, 3)),
        ({"connect": 1}, (1, 10, 10, 1)),
        ({"read": 60.5}, (3, 60.5, 60.5, 3)),
        ({"connect": 1, "read": 2}, (1, 2, 2, 1)),
        (5, (5, 5, 5, 5)),
        (0.5, (0.5, 0.5, 0.5, 0.5)),
        (httpx.Timeout(1, read=None), (1, None, 1, 1)),
    ],
)
def test_timeouts(timeout: object, expected: tuple[float | None, ...]) -> None:
    made = ClientConfig(AGENT, "t", timeout=timeout).timeout  # type: ignore[arg-type]
    assert (made.connect, made.read, made.write, made.pool) == expected


@each_row("bad", [-1, 0, True, False, math.nan, math.inf, "5", None, 1e9, [], 10**400])
@each_row("key", ["connect", "read"])
def test_bad_timeouts(bad: object, key: str) -> None:
    for timeout in ({key: bad}, bad):
        if timeout is None:
            continue
        with pytest.raises(ValidationError) as caught:
            ClientConfig(AGENT, "t", timeout=timeout)  # type: ignore[arg-type]
        assert caught.value.status_code == 400
        assert "timeout" in str(caught.value)


@each_row(
    "timeout",
    [{"total": 1}, {1: 1}, {"connect": 1, "write": 1}, (1, 2), httpx.Timeout(-1), httpx.Timeout(math.nan)],
)
def test_unknown_timeouts(timeout: object) -> None:
    with pytest.raises(ValidationError, match="timeout"):
        ClientConfig(AGENT, "t", timeout=timeout)  # type: ignore[arg-type]


@each_row("retries", [-1, True, 1.0, "2", None, 101])
def test_bad_retries(retries: object) -> None:
    with pytest.raises(ValidationError, match="max_retries"):
        ClientConfig(AGENT, "t", max_retries=retries)  # type: ignore[arg-type]


def test_headers() -> None:
    connection = ClientConfig(AGENT, "a-token", user_token="u-token", tenant="ten", headers={"X-Extra": "1"})
    assert connection.headers() == {
        "X-Extra": "1",
        "Authorization": "a-token",
        "SYNAPSE-User": "Token u-token",
        "SYNAPSE-Tenant": "Token ten",
    }
    assert ClientConfig(AGENT, "t", user_token="", tenant=None).headers() == {"Authorization": "t"}


def test_headers_in_latin_1() -> None:
    connection = ClientConfig(AGENT, "tök", headers={"X-A": "ä", "accept": "mine"})
    headers = connection.request_headers({"Accept": "theirs"})
    assert headers == [
        (b"X-A", "ä".encode("latin-1")),
        (b"accept", b"mine"),
        (b"Authorization", b"t\xf6k"),
    ]


@each_row("name", ["agent_token", "user_token", "tenant"])
@each_row(
    "token",
    ["S3CRET\r\nX: y", "S3CRET\n", " S3CRET", "S3CRET\x00", "S3CRET\u20ac", "S3CRET\x85", 5, b"S3CRET", []],
)
def test_tokens_that_cannot_be_sent(name: str, token: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ClientConfig(AGENT, **{"agent_token": "t", name: token})  # type: ignore[arg-type]
    assert caught.value.status_code == 400
    assert name in str(caught.value)
    assert "S3CRET" not in "".join(traceback.format_exception(caught.value))
    if callable(token) or name == "tenant":
        return
    late = ClientConfig(AGENT, **{"agent_token": "t", name: lambda: token})  # type: ignore[arg-type]
    with pytest.raises(ClientError) as caught_late:
        late.headers()
    assert "S3CRET" not in "".join(traceback.format_exception(caught_late.value))


def test_empty_tokens() -> None:
    with pytest.raises(ValidationError, match="agent_token"):
        ClientConfig(AGENT, "")
    with pytest.raises(ValidationError, match="tenant"):
        ClientConfig(AGENT, "t", tenant=lambda: "x")  # type: ignore[arg-type]


def test_callables_are_asked_each_time() -> None:
    tokens = iter(["first-token", "second-token"])
    connection = ClientConfig(AGENT, lambda: next(tokens), user_token=lambda: "user-token")
    assert connection.headers()["Authorization"] == "first-token"
    assert connection.headers() == {"Authorization": "second-token", "SYNAPSE-User": "Token user-token"}
    assert connection.redact("first-token second-token user-token") == "*** *** ***"


def test_a_callable_that_raises() -> None:
    def ask() -> str:
        raise KeyError("vault")

    with pytest.raises(AuthenticationError) as caught:
        ClientConfig(AGENT, ask).headers()
    assert caught.value.status_code == 401
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.agent == AGENT
    assert "KeyError" in str(caught.value)


def test_an_async_callable_is_refused() -> None:
    async def ask() -> str:
        return "t"

    with pytest.raises(AuthenticationError, match="must return a string, not a coroutine"):
        ClientConfig(AGENT, ask).headers()  # type: ignore[arg-type]


def test_interrupts_of_a_callable_pass() -> None:
    def ask() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ClientConfig(AGENT, ask).headers()


@each_row(
    "headers",
    [
        {"Authorization": "S3CRET"},
        {"synapse-USER": "S3CRET"},
        {"SYNAPSE-Tenant": "S3CRET"},
        {"Content-Type": "S3CRET"},
        {"Connection": "S3CRET"},
        {"Sec-WebSocket-Key": "S3CRET"},
        {"X": "S3CRET\r\n"},
        {"X": "\u20ac"},
        {"X": 1},
        {"X Y": "1"},
        {"": "1"},
        {1: "1"},
        {"ä": "1"},
        "X: 1",
        [("X", "1")],
    ],
)
def test_bad_headers(headers: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ClientConfig(AGENT, "t", headers=headers)  # type: ignore[arg-type]
    assert "header" in str(caught.value)
    assert "S3CRET" not in str(caught.value)


def test_nothing_shows_the_tokens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = Secret("S3CRET-1", "agent_token")
    connection = ClientConfig(
        AGENT, "S3CRET-1", user_token="S3CRET-2", tenant="S3CRET-3", headers={"X": "S3CRET-4"}
    )
    shown = f"{secret} {secret!r} {connection} {connection!r}"
    assert "S3CRET" not in shown + caplog.text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)


def test_redaction_leaves_words_that_happen_to_be_tokens() -> None:
    connection = ClientConfig(AGENT, "token", tenant="acme")
    assert (
        connection.redact("invalid token of 'Token acme' at acme") == "invalid token of 'Token ***' at acme"
    )


@each_row(
    ("url", "same"),
    [
        ("http://host:1/x", True),
        ("http://HOST:1/x?y", True),
        ("https://host:1/", False),
        ("http://host:2/", False),
        ("http://host/", False),
        ("http://host.evil:1/", False),
        ("http://user@host:1/", False),
    ],
)
def test_same_origin(url: str, same: bool) -> None:
    assert ClientConfig(AGENT, "t").same_origin(httpx.URL(url)) is same


def test_default_ports_are_one_origin() -> None:
    assert ClientConfig("https://host", "t").same_origin(httpx.URL("https://host:443/x"))


def test_with_options() -> None:
    connection = ClientConfig(AGENT, "t", headers={"X-A": "1", "X-B": "2"})
    other = connection.with_options(timeout=1, max_retries=0, headers={"x-a": "3"})
    assert (other.timeout.read, other.max_retries) == (1, 0)
    assert other.headers() == {"X-B": "2", "x-a": "3", "Authorization": "t"}
    assert (connection.timeout.read, connection.max_retries) == (10, 2)
    assert connection.headers() == {"X-A": "1", "X-B": "2", "Authorization": "t"}


@given(st.text(min_size=1, max_size=100))
def test_names_survive_the_path(name: str) -> None:
    try:
        path = encode_path("a/{name}/b", {"name": name})
    except ValidationError:
        assert name in (".", "..") or any(
            ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in name
        )
        return
    url = ClientConfig("http://host/prefix", "t").url(path)
    raw = url.raw_path.decode()
    assert raw.count("/") == 4
    assert raw.startswith("/prefix/a/")
    assert raw.endswith("/b")
    assert unquote(raw.split("/")[3]) == name


@each_row("name", ["", ".", "..", "x" * 101, "a\nb", "a\x00", "\ud800", None, True, 1.5])
def test_bad_names(name: object) -> None:
    with pytest.raises(ValidationError) as caught:
        encode_path("{lookup}", {"lookup": name})  # type: ignore[dict-item]
    assert caught.value.status_code == 400
    assert "lookup" in str(caught.value)


@each_row("value", ["..", "a/b", "a%2fb", "ä", ""])
def test_ids_are_strict(value: str) -> None:
    with pytest.raises(ValidationError, match="job id"):
        encode_path("jobs/{job_id}/", {"job_id": value})


def test_paths() -> None:
    assert encode_path("jobs/{job_id}/logs/", {"job_id": "a-1_B"}) == "jobs/a-1_B/logs/"
    assert encode_path("containers/{container_id}", {"container_id": 12}) == "containers/12"
    assert encode_path("x/{lookup}", {"lookup": "code@1.0/ü?#%"}) == "x/code@1.0%2F%C3%BC%3F%23%25"
