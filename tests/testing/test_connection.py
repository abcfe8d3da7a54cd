"""A connection: what is no HTTP, and what its transport under asyncio must not be asked for."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from synapse_sdk.testing import FakeAgent
from synapse_sdk.testing._connection import Connection
from synapse_sdk.testing._server import Server
from synapse_sdk.testing._state import State


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        pass


def test_a_transport_that_takes_more_is_not_written_to_while_it_says_so() -> None:
    """asyncio says it amid a write of its own: a write that fails there would end the connection twice."""

    async def main() -> None:
        state = State("token")
        job = state.add_job("train", ["RUNNING"])
        loop = asyncio.get_running_loop()
        server: Any = SimpleNamespace(state=state, connections=set(), soon=loop.call_soon)
        connection, transport = Connection(cast("Server", server)), Transport()
        connection.connection_made(cast("asyncio.Transport", transport))
        connection.data_received(
            b"GET /jobs/train/logs/stream/ HTTP/1.1\r\nhost: a\r\nauthorization: token\r\n\r\n"
        )
        connection.pause_writing()
        job.write(b"epoch 1\n")
        await asyncio.sleep(0)
        before = transport.written
        assert b"connected" in before
        connection.resume_writing()
        assert transport.written == before
        await asyncio.sleep(0)
        assert b"epoch 1" in transport.written
        connection.connection_lost(None)

    asyncio.run(main())


def answer_to(agent: FakeAgent, sent: bytes) -> bytes:
    agent.serve()
    assert agent._server is not None
    assert agent._server.port is not None
    with socket.create_connection(("127.0.0.1", agent._server.port), timeout=10) as sock:
        sock.sendall(sent)
        received = b""
        while data := sock.recv(65_536):
            received += data
    return received


HEAD = b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: fake-agent-token\r\n"


@pytest.mark.parametrize(
    ("sent", "begins", "holds"),
    [
        (b"GET /health/ HTTP/1.1\r\nno header\r\n\r\n", b"HTTP/1.1 400", b"this is not HTTP"),
        (b"\x16\x03\x01" + b"\r\n" * 3, b"HTTP/1.1 400", b"this is not HTTP"),
        (b"HEAD /health/" + HEAD + b"\r\n", b"HTTP/1.1 405", b"\r\n\r\n"),
        (b"TRACE /nothing" + HEAD + b"\r\n", b"HTTP/1.1 404", b"there is no /nothing"),
        (
            b"POST /system/restart/" + HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
            b"HTTP/1.1 100",
            b"success",
        ),
        (
            b"POST /system/update/" + HEAD + b"content-length: 33554433\r\n\r\n" + b"x" * 33_554_433,
            b"HTTP/1.1 413",
            b"larger than this agent takes",
        ),
        (
            b"GET /jobs/train/logs/" + HEAD + b"upgrade: websocket\r\n\r\n",
            b"HTTP/1.1 400",
            b"not a WebSocket handshake",
        ),
        (b"GET /jobs/a%20b/" + HEAD + b"\r\n", b"HTTP/1.1 400", b"job_id must match"),
        (b"GET /jobs/train/logs/stream/?offset=x" + HEAD + b"\r\n", b"HTTP/1.1 400", b"number of bytes"),
    ],
)
def test_whatever_is_sent_is_answered(agent: FakeAgent, sent: bytes, begins: bytes, holds: bytes) -> None:
    agent.add_job("train", status="SUCCEEDED")
    received = answer_to(agent, sent)
    assert received.startswith(begins), received
    assert holds in received
    if sent.startswith(b"HEAD"):
        assert received.endswith(holds)
    assert agent.client().health_check().status == "ok"
