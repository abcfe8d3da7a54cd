"""TLS with an address that has a zone id: the certificate is of the address alone."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import pytest
import trustme

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

_, INTERFACE = socket.if_nameindex()[0]


class _Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


@pytest.fixture
def hosts() -> list[str]:
    """The `Host` headers that the server has received."""
    return []


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def url(authority: trustme.CA, hosts: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            body = json.dumps({"status": "ok"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("::1").configure_cert(tls)
    try:
        server = _Server(("::1", 0), Handler)
    except OSError:
        pytest.skip("this machine has no IPv6")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://[::1%25{INTERFACE}]:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_the_certificate_is_checked_against_the_address(
    url: str, trust: ssl.SSLContext, hosts: list[str]
) -> None:
    with AgentClient(url, "t", verify=trust) as client:
        client.health_check()
    assert hosts == [url.replace(f"%25{INTERFACE}", "").removeprefix("https://").rstrip("/")]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_certificate_is_checked_against_the_address_by_the_async_client(
    url: str, trust: ssl.SSLContext, hosts: list[str], backend: str
) -> None:
    async def main() -> None:
        async with AsyncAgentClient(url, "t", verify=trust) as client:
            await client.health_check()

    anyio.run(main, backend=backend)
    assert len(hosts) == 1
