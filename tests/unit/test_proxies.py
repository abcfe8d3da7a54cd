"""The proxy that the environment names, as curl finds it; and errors that name the proxy."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from tables import each_row

from synapse_sdk._http import trust
from synapse_sdk._http.proxies import bypasses_proxy, environment_proxy, without_password
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    ValidationError,
)

from .scripted_server import Server, json_answer

AGENT = "http://agent.example:8000/"
TOKEN = "a-secret-agent-token"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


# --- NO_PROXY


@each_row(
    ("no_proxy", "url"),
    [
        ("*", AGENT),
        ("other, * ", AGENT),
        ("agent.example", AGENT),
        ("AGENT.Example.", AGENT),
        ("example", AGENT),
        (".example", AGENT),
        (".agent.example", AGENT),  # curl takes the domain itself, too
        ("a b agent.example", AGENT),
        ("agent.example:8000", AGENT),
        ("agent.example:443", "https://agent.example/"),
        ("agent.example:80", "http://agent.example/"),
        ("http://agent.example", AGENT),
        ("agent.example", "http://AGENT.example./"),
        ("localhost", "http://localhost:1/"),
        ("10.0.0.0/8", "http://10.1.2.3/"),
        ("10.9.9.9/8", "http://10.1.2.3/"),
        ("10.1.2.3", "http://10.1.2.3:8000/"),
        ("10.1.2.3:8000", "http://10.1.2.3:8000/"),
        ("127.0.0.0/8", "http://127.0.0.1/"),
        ("0.0.0.0/0", "http://10.1.2.3/"),
        ("::1", "http://[::1]/"),
        ("[::1]", "http://[::1]:8000/"),
        ("[::1]:8000", "http://[::1]:8000/"),
        ("0:0:0:0:0:0:0:1", "http://[::1]/"),
        ("fd00::/8", "http://[fd12::1]:8000/"),
        ("[fd00::]/8", "http://[fd12::1]/"),
        ("[fd00::/8]", "http://[fd12::1]/"),
        ("fe80::/10", "http://[fe80::1%25eth0]/"),
        ("xn--bcher-kva.example", "http://bücher.example/"),
        ("bücher.example", "http://xn--bcher-kva.example/"),
        ("10.0.0.0/8", "http://[::ffff:10.1.2.3]/"),
        ("::ffff:10.1.2.3", "http://[::ffff:10.1.2.3]/"),
        ("127.0.0.0/8", "http://127.1/"),
    ],
)
def test_no_proxy_names_the_host(no_proxy: str, url: str) -> None:
    assert bypasses_proxy(httpx.URL(url), no_proxy)


@each_row(
    ("no_proxy", "url"),
    [
        ("", AGENT),
        (",, ,", AGENT),
        (".", AGENT),
        ("gent.example", AGENT),
        ("agent.example.com", AGENT),
        ("x.agent.example", AGENT),
        ("agent.example:8001", AGENT),
        ("https://agent.example", AGENT),
        ("*.example", "http://10.1.2.3/"),
        ("10.0.0.0/8", "http://11.1.2.3/"),
        ("10.0.0.0/8", "http://10.example/"),
        ("10.0.0.0/33", "http://10.0.0.1/"),
        ("10.0.0.0/x", "http://10.0.0.1/"),
        ("2.3", "http://10.1.2.3/"),  # the end of an address is no domain
        ("fd00::/8", "http://[fe80::1]/"),
        ("fd00::/8", "http://10.0.0.1/"),
        ("[::1]:8001", "http://[::1]:8000/"),
    ],
)
def test_no_proxy_does_not_name_the_host(no_proxy: str, url: str) -> None:
    assert not bypasses_proxy(httpx.URL(url), no_proxy)


# --- which one


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, AGENT, None),
        ({"HTTP_PROXY": "http://p:1"}, AGENT, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://agent.example/", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://agent.example/", "http://p:1"),
        ({"ALL_PROXY": "socks5://p:1"}, AGENT, "socks5://p:1"),
        ({"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://p:1"}, AGENT, "http://p:1"),
        ({"HTTP_PROXY": "p:1"}, AGENT, "http://p:1"),
        ({"http_proxy": "http://lower:1", "HTTP_PROXY": "http://upper:1"}, AGENT, "http://lower:1"),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, AGENT, None),  # a CGI client's header
        ({"ALL_PROXY": "socks://p:1", "NO_PROXY": "agent.example"}, AGENT, None),
        ({"ALL_PROXY": "nonsense://p", "no_proxy": "example"}, AGENT, None),
    ],
)
def test_the_proxy_of_the_environment(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(httpx.URL(url)) == proxy


def test_a_proxy_of_an_unknown_scheme_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://user:S3CRET@p:1")
    with pytest.raises(ValidationError, match=r"ALL_PROXY.*'socks'.*socks5") as caught:
        AgentClient(AGENT, TOKEN)
    assert "S3CRET" not in str(caught.value)
    monkeypatch.setenv("NO_PROXY", "agent.example")
    AgentClient(AGENT, TOKEN).close()


def test_a_proxy_is_shown_without_its_password() -> None:
    for proxy in (
        "http://u:S3CRET@p:1",
        httpx.URL("http://u:S3CRET@p:1"),
        httpx.Proxy("http://u:S3CRET@p:1"),
    ):
        assert without_password(proxy) == "http://p:1"


# --- errors


def error_of(backend: str, url: str, **options: Any) -> ClientError:
    async def call_async() -> None:
        async with AsyncAgentClient(url, TOKEN, max_retries=0, **options) as client:
            await client.list_jobs()

    def call() -> None:
        if backend != "sync":
            anyio.run(call_async, backend=backend)
        with AgentClient(url, TOKEN, max_retries=0, **options) as client:
            client.list_jobs()

    with pytest.raises(ClientError) as caught:
        call()
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.fixture
def dead() -> Iterator[str]:
    """The host and port of a socket that is not listened on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("url", [AGENT, "https://agent.example/"])
@pytest.mark.parametrize("by", ["environment", "option"])
def test_a_dead_proxy_is_named(
    backend: str, url: str, by: str, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://user:S3CRET@{dead}"
    if by == "environment":
        monkeypatch.setenv("ALL_PROXY", proxy)
        error = error_of(backend, url)
    else:
        error = error_of(backend, url, proxy=proxy)
    assert isinstance(error, ClientConnectionError)
    assert f"through the proxy http://{dead}" in str(error)
    assert "is the proxy running" in str(error)
    assert "S3CRET" not in str(error)


@each_row("url", [AGENT, "https://agent.example/"])
def test_a_silent_proxy_is_named(backend: str, url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"127.0.0.1:{silent.getsockname()[1]}"
        error = error_of(backend, url, proxy=f"http://user:S3CRET@{proxy}", timeout={"read": 0.2})
    assert isinstance(error, ClientTimeoutError)
    assert f"no answer through the proxy http://{proxy} within 0.2 s" in str(error)
    assert "S3CRET" not in str(error)


def test_a_proxy_that_refuses_is_named(backend: str) -> None:
    with Server(json_answer(407, {})) as proxy:
        refused = error_of(backend, "https://agent.example/", proxy=proxy.url)
        assert isinstance(refused, ClientConnectionError)
        assert f"the proxy {proxy.url.rstrip('/')} failed: 407" in str(refused)
    with Server(json_answer(407, {})) as proxy:
        assert "a proxy before the agent wants" in str(error_of(backend, AGENT, proxy=proxy.url))


# --- certificates of the environment


def test_a_log_of_tls_keys_that_leads_nowhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("SSLKEYLOGFILE", "/no/such/place")
    # The contexts that were made before are kept.
    monkeypatch.setattr(trust, "_context", lambda *_: httpx.create_ssl_context())
    with pytest.raises(ValidationError, match="'/no/such/place', which SSLKEYLOGFILE names"):
        AgentClient("https://agent.example/", TOKEN)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)  # it goes before SSL_CERT_DIR
    monkeypatch.setenv(variable, "/no/such/place")
    with pytest.raises(ValidationError, match=f"'/no/such/place', which {variable} names"):
        AgentClient("https://agent.example/", TOKEN)
    with pytest.raises(ValidationError, match=variable):
        AsyncAgentClient("https://agent.example/", TOKEN)


def test_a_file_that_has_no_certificates_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(ValidationError, match=str(file)):
        AgentClient("https://agent.example/", TOKEN)
