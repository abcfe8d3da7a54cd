"""How an agent listens and stops: TLS, a Unix socket, draining."""

from __future__ import annotations

import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trustme
from running_agent import RunningAgent, running_agent

from synapse_agent.errors import StartupError
from synapse_agent.sockets import Certificate, listen_unix

NOWHERE = ("--ray", "http://127.0.0.1:1")


def until(done: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def write_certificate(directory: Path) -> ssl.SSLContext:
    """Write a new certificate for 127.0.0.1 and its key; return a client's context that trusts it alone."""
    ca = trustme.CA()
    made = ca.issue_cert("127.0.0.1")
    (directory / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(directory / "key.pem"))
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


def answers(agent: RunningAgent, context: ssl.SSLContext) -> bool:
    try:
        return httpx.get(f"{agent.url}/livez", verify=context).status_code == 200
    except httpx.ConnectError:
        return False


def test_tls_with_a_certificate_that_is_renewed(tmp_path: Path) -> None:
    first = write_certificate(tmp_path)
    files = ("--tls-cert", f"{tmp_path}/cert.pem", "--tls-key", f"{tmp_path}/key.pem")
    with running_agent(*NOWHERE, *files) as agent:
        assert agent.url.startswith("https://127.0.0.1:")
        assert answers(agent, first)
        # A certificate without its key leaves the old one in use.
        key = (tmp_path / "key.pem").read_bytes()
        write_certificate(tmp_path)
        (tmp_path / "key.pem").write_bytes(key)
        until(lambda: "the old one stays" in agent.stderr, "the certificate was not looked at")
        assert answers(agent, first)
        second = write_certificate(tmp_path)
        until(lambda: answers(agent, second), "the new certificate is not in use")
        assert not answers(agent, first)
        # What is not TLS does no harm, and leaves no line.
        with socket.create_connection(("127.0.0.1", int(agent.url.rpartition(":")[2]))) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.recv(1000)
        assert answers(agent, second)
        assert agent.stderr.count("\n") == 2


@pytest.mark.parametrize("wrong", ["", "nonsense"])
def test_a_certificate_that_cannot_be_used(tmp_path: Path, wrong: str) -> None:
    write_certificate(tmp_path)
    (tmp_path / "key.pem").write_text(wrong)
    with pytest.raises(StartupError, match="can't use --tls-cert"):
        Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    # One that a killed agent left.
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with running_agent(*NOWHERE, "--unix-socket", str(path)) as agent:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), headers=agent.headers) as client:
            assert client.get("http://agent/health/").status_code == 200
        # A socket that somebody listens on is not taken away.
        with pytest.raises(StartupError, match="in use"), listen_unix(path):
            pass
        assert path.exists()
        assert httpx.get(f"{agent.url}/livez").status_code == 200
    assert not path.exists()


def test_a_drain_lets_requests_in_until_it_is_over(tmp_path: Path) -> None:
    with running_agent(*NOWHERE, "--drain", "600") as agent:
        assert agent.process is not None
        assert httpx.get(f"{agent.url}/readyz").status_code == 200
        agent.process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{agent.url}/readyz").status_code == 503, "the probe did not turn")
        assert httpx.get(f"{agent.url}/livez").status_code == 200
        assert agent.http.get("resources/policy/").status_code == 200
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(60) == 0
    with running_agent(*NOWHERE, "--drain", "0.5") as agent:
        assert agent.process is not None
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(60) == 0
