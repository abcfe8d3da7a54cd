"""An engine that refuses, breaks off or is another server: the error, and what may have happened."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tables import each_row

from synapse_agent.containers.engine import Engine
from synapse_agent.containers.engine_api import EngineUnreachableError
from synapse_agent.errors import ApiError

Do = Callable[[Engine], Awaitable[Any]]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path: that of a socket has 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="eng-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def answer(status: int, body: object) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


VERSION = answer(200, {"ApiVersion": "1.41"})


def ask(directory: Path, do: Do, *answers: bytes) -> tuple[Any, list[str]]:
    """Ask an engine that gives these answers in turn; what came of it, and what it was asked."""
    asked: list[str] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode().split()
            if request[1].endswith("/version"):
                writer.write(VERSION)
            else:
                asked.append(f"{request[0]} {request[1]}")
                writer.write(left.pop(0))
            await writer.drain()

    async def main() -> Any:
        path = str(directory / "engine.sock")
        async with await asyncio.start_unix_server(serve, path):
            engine = Engine(f"unix://{path}")
            try:
                return await do(engine)
            finally:
                await engine.close()

    return asyncio.run(main()), asked


def failed(directory: Path, do: Do, *answers: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        ask(directory, do, *answers)
    return caught.value


def test_a_base_image_is_pulled_where_the_engine_lacks_it(directory: Path) -> None:
    missing, there = answer(404, {"message": "no"}), answer(200, {"Id": "sha256:1", "Config": None})
    image, asked = ask(directory, lambda engine: engine.base("a:1"), missing, answer(200, b"{}"), there)
    assert (image.id, dict(image.labels)) == ("sha256:1", {})
    assert [line.partition(" ")[0] for line in asked] == ["GET", "POST", "GET"]
    error = failed(directory, lambda engine: engine.base("a:1"), missing, answer(200, b"{}"), missing)
    assert (error.status, error.detail) == (
        404,
        "Docker can't find the image a:1: it is not there after the pull",
    )


@each_row(
    ("do", "status", "told"),
    [
        (lambda engine: engine.image("a"), 500, "find the image a"),
        (lambda engine: engine.remove_image("a"), 500, "remove the image"),
        (lambda engine: engine.remove("c"), 500, "remove the container"),
        (lambda engine: engine.inspect("c"), 500, "inspect the container"),
        (lambda engine: engine.stop("c"), 500, "stop the container"),
        (lambda engine: engine.containers("a=b"), 500, "list containers"),
    ],
)
def test_a_refusal_is_told_in_the_engines_words(directory: Path, do: Do, status: int, told: str) -> None:
    error = failed(directory, do, answer(507, {"message": "the disk is full"}))
    assert (error.status, error.detail) == (status, f"Docker can't {told}: the disk is full")


@each_row(
    "do",
    [
        lambda engine: engine.image("a"),
        lambda engine: engine.remove("c"),
        lambda engine: engine.inspect("c"),
        lambda engine: engine.remove_image("a"),
    ],
)
def test_what_is_not_there_needs_no_removing(directory: Path, do: Do) -> None:
    outcome, _ = ask(directory, do, answer(404, {"message": "no such thing"}))
    assert outcome is None


def test_an_image_in_use_is_left(directory: Path) -> None:
    outcome, _ = ask(directory, lambda engine: engine.remove_image("a"), answer(409, {"message": "in use"}))
    assert outcome is None


@each_row(
    ("image", "query"),
    [
        ("a", "fromImage=a&tag=latest"),
        ("host:5000/a", "fromImage=host:5000/a&tag=latest"),
        ("a:1", "fromImage=a:1"),
        ("a@sha256:00", "fromImage=a@sha256:00"),
    ],
)
def test_one_tag_of_an_image_is_pulled(directory: Path, image: str, query: str) -> None:
    missing, there = answer(404, {"message": "no"}), answer(200, {"Id": "sha256:1"})
    _, asked = ask(directory, lambda engine: engine.base(image), missing, answer(200, b"{}\r\n"), there)
    path, _, found = asked[1].partition("?")
    assert (path, unquote(found)) == ("POST /v1.41/images/create", query)


def test_a_log_is_read_without_its_frames(directory: Path) -> None:
    pieces = [(1, b"one\n"), (2, b"S3CRET\n"), (1, "zwö".encode()[:3]), (1, "zwö".encode()[3:])]
    log = b"".join(bytes([stream, 0, 0, 0]) + len(data).to_bytes(4) + data for stream, data in pieces)
    words, asked = ask(directory, lambda engine: engine.log_tail("c", ["S3CRET"]), answer(200, log))
    assert words.startswith("one")
    assert words.endswith("zwö")
    assert "S3CRET" not in words
    assert asked == ["GET /v1.41/containers/c/logs?stdout=1&stderr=1&tail=10"]


def test_a_build_that_fails_is_told_with_the_end_of_its_output(directory: Path, tmp_path: Path) -> None:
    context = tmp_path / "context.tar"
    context.write_bytes(b"tar")
    events = [{"stream": "RUN false\n"}, {"errorDetail": {"message": "exit code 1"}, "error": "failed"}]
    stream = "".join(f"{json.dumps(event)}\r\n" for event in events).encode()
    error = failed(directory, lambda engine: engine.build("t", context), answer(200, stream))
    assert error.status == 500
    assert error.detail == "Docker can't build the image: exit code 1; the last of its output: RUN false"


def test_a_broken_connection_says_whether_something_may_have_happened(directory: Path) -> None:
    error = failed(directory, lambda engine: engine.inspect("c"), b"")
    assert error.status == 503
    assert str(error.detail).endswith("broke")
    error = failed(directory, lambda engine: engine.start("c"), b"")
    assert error.status == 500
    assert str(error.detail).endswith("broke; it may start the container all the same")


def test_a_build_whose_answer_breaks_off_is_no_image(directory: Path, tmp_path: Path) -> None:
    context = tmp_path / "context.tar"
    context.write_bytes(b"tar")
    stream = answer(200, b'{"stream": "Step 1"}\n')
    missing = answer(404, {"message": "no"})
    error = failed(directory, lambda engine: engine.build("t", context), stream, missing)
    assert (error.status, error.detail) == (500, "Docker can't build the image: its answer broke off")


@each_row(
    ("do", "said"),
    [
        (lambda engine: engine.containers("a=b"), [{"Names": []}]),
        (lambda engine: engine.containers("a=b"), 7),
        (lambda engine: engine.tags("a"), ["a:1"]),
        (lambda engine: engine.image("a"), {"Name": "a"}),
        (lambda engine: engine.image("a"), [1]),
        (lambda engine: engine.create("c", {}), {"Warnings": []}),
    ],
)
def test_something_else_at_the_socket(directory: Path, do: Do, said: object) -> None:
    error = failed(directory, do, answer(200, said))
    assert isinstance(error, EngineUnreachableError)
    assert "is not a Docker engine" in str(error.detail)


def test_nobody_at_the_socket(directory: Path) -> None:
    path = directory / "nobody.sock"
    with socket.socket(socket.AF_UNIX) as unheard:
        unheard.bind(str(path))

    async def main() -> None:
        engine = Engine(f"unix://{path}")
        try:
            await engine.inspect("c")
        finally:
            await engine.close()

    with pytest.raises(EngineUnreachableError, match="Docker is unreachable"):
        asyncio.run(main())
