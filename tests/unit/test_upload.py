"""A plugin's archive on its way to a container: streamed from disk, and whole again on a retry."""

from __future__ import annotations

import io
import os
import re
import socket
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientConnectionError, ValidationError

from .conftest import Use
from .scripted_server import Server, json_answer

ACCEPTED = {"build_id": "b-1", "status_url": "/builds/b-1/", "ws_url": "", "sse_url": ""}
MIB = 1024 * 1024


def test_the_form_is_as_the_spec_says(ask: Use, tmp_path: Path) -> None:
    archive = tmp_path / "plugin.zip"
    archive.write_bytes(b"PK\x00\xff")
    with Server(json_answer(202, ACCEPTED)) as server:
        for _ in range(2):
            accepted = ask(
                server.url,
                "create_container",
                params={"batch": 8},
                model=3,
                kind="code_server",
                labels={"team": "ä"},
                file=archive,
            )
            assert accepted.build_id == "b-1"
    boundaries = set()
    for request in server.requests:
        match = re.fullmatch(
            r"multipart/form-data; boundary=([0-9a-f]{32})", request.header("content-type") or ""
        )
        assert match is not None
        boundaries.add(match[1])
        parts = [part.strip(b"\r\n") for part in request.body.split(f"--{match[1]}".encode())]
        assert parts[0] == b""
        assert parts[-1] == b"--"
        fields = dict(re.findall(rb'name="(\w+)".*?\r\n\r\n(.*)', part, re.DOTALL)[0] for part in parts[1:-1])
        assert fields == {
            b"params": b'{"batch":8}',
            b"model": b"3",
            b"kind": b"code_server",
            b"labels": '{"team":"ä"}'.encode(),
            b"file": b"PK\x00\xff",
        }
        assert b'name="file"; filename="plugin.zip"' in request.body
    # A content that happened to hold a fixed boundary would be cut.
    assert len(boundaries) == 2


class Sink:
    """Takes one upload, counts it without keeping it, and answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self.length = self.received = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            self.length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
            buffer = bytearray(MIB)
            while self.received < self.length:
                self.received += connection.recv_into(buffer)
            connection.sendall(json_answer(202, ACCEPTED))

    def close(self) -> None:
        self._thread.join(30)
        self._socket.close()


def test_a_large_file_is_never_whole_in_memory(ask: Use, tmp_path: Path) -> None:
    archive = tmp_path / "plugin.zip"
    with archive.open("wb") as file:
        file.truncate(128 * MIB)
    sink = Sink()
    tracemalloc.start()
    try:
        accepted = ask(sink.url, "create_container", file=archive, options={"timeout": 60})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        sink.close()
    assert accepted.build_id == "b-1"
    assert sink.received == sink.length > 128 * MIB
    assert peak < 8 * MIB


@pytest.mark.parametrize("source", ["path", "file", "bytes", "buffer"])
def test_a_retry_sends_the_file_from_its_beginning(backend: str, source: str, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    archive = tmp_path / "plugin.zip"
    archive.write_bytes(content)
    bodies: list[bytes] = []

    def refused_after_some(request: httpx.Request, first: bytes) -> None:
        bodies.append(first)
        raise httpx.ConnectError("refused", request=request)

    def handle(request: httpx.Request) -> httpx.Response:
        chunks = iter(request.stream)  # type: ignore[arg-type]
        if not bodies:
            refused_after_some(request, next(chunks) + next(chunks) + next(chunks))
        bodies.append(b"".join(chunks))
        return httpx.Response(202, json=ACCEPTED)

    async def async_handle(request: httpx.Request) -> httpx.Response:
        chunks = [chunk async for chunk in request.stream]  # type: ignore[union-attr]
        if not bodies:
            refused_after_some(request, b"".join(chunks[:3]))
        bodies.append(b"".join(chunks))
        return httpx.Response(202, json=ACCEPTED)

    with archive.open("rb") as handle_of_file:
        file: Any = {
            "path": archive,
            "file": handle_of_file,
            "bytes": content,
            "buffer": io.BytesIO(content),
        }[source]
        if backend == "sync":
            with httpx.Client(transport=Handler(handle)) as http:
                client = AgentClient("http://agent/", "t", http_client=http)
                assert client.create_container(file=file).build_id == "b-1"
        else:

            async def main() -> None:
                async with httpx.AsyncClient(transport=AsyncHandler(async_handle)) as http:
                    client = AsyncAgentClient("http://agent/", "t", http_client=http)
                    assert (await client.create_container(file=file)).build_id == "b-1"

            anyio.run(main, backend=backend)
        # What was given open stays open; the caller closes it.
        assert not handle_of_file.closed
    assert len(bodies) == 2
    assert content in bodies[1]


class Handler(httpx.BaseTransport):
    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._handle(request)
        return response


class AsyncHandler(httpx.AsyncBaseTransport):
    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._handle(request)
        return response


def test_an_upload_that_may_have_arrived_is_not_repeated(ask: Use, tmp_path: Path) -> None:
    archive = tmp_path / "plugin.zip"
    archive.write_bytes(b"PK")

    def drop(connection: socket.socket, request: object) -> None:
        raise ConnectionAbortedError

    with Server(drop) as server, pytest.raises(ClientConnectionError):
        ask(server.url, "create_container", file=archive)
    assert len(server.requests) == 1


def test_a_file_that_can_not_be_read_is_named(ask: Use, tmp_path: Path) -> None:
    for file in (tmp_path / "none.zip", tmp_path, io.StringIO("text"), 5):
        with pytest.raises(ValidationError):
            ask("http://127.0.0.1:9/", "create_container", file=file)
