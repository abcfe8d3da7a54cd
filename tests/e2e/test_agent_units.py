"""The parts of the agent that need no Ray."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_agent.logs.events import sse_lines, websocket_lines
from synapse_agent.logs.lines import PIECE, LineSplitter, Message
from synapse_agent.plugins import runner as _runner
from synapse_agent.plugins.modules import module_file
from synapse_agent.plugins.packages import RUNNER, build_package
from synapse_agent.redaction import redact
from synapse_agent.routes import ROUTES

yaml = pytest.importorskip("yaml")

CHARACTERS = [character.encode() for character in "é語🎉\u2028\x85"]
SPEC = Path(__file__).resolve().parents[2] / "spec" / "openapi.yaml"


def test_the_routes_are_those_of_the_specification() -> None:
    paths = yaml.safe_load(SPEC.read_text("utf-8"))["paths"]
    methods = {"get", "post", "put", "patch", "delete"}
    expected = {
        (method.upper(), path, operation["operationId"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in methods
    }
    assert {(route.method, route.path, route.operation) for route in ROUTES} == expected


def split(raw: bytes, sizes: list[int], start: int = 0) -> list[Message]:
    splitter, messages, position = LineSplitter(start), [], start
    for size in [*sizes, len(raw)]:
        messages += splitter.feed(raw[position : position + size])
        position += size
    return messages + splitter.finish()


def check(raw: bytes, messages: list[Message], start: int = 0) -> None:
    """Every message is its part of the log, and together they are the whole of it."""
    position = start
    for text, offset in messages:
        part = raw[position:offset]
        assert b"\n" not in part[:-1]
        if part.endswith(b"\n"):
            assert text == part[:-1].decode("utf-8", "replace")
        else:
            assert text == part.decode("utf-8", "replace")
            assert offset == len(raw) or PIECE - 3 <= len(part) <= PIECE
        position = offset
    assert position == len(raw)


@given(
    st.lists(st.sampled_from([s.encode("latin-1") for s in ("a", "\r", "\n", "\r\n", "\xff")] + CHARACTERS)),
    st.lists(st.integers(1, 5)),
    st.integers(0, 10),
)
def test_lines_whatever_the_blocks(parts: list[bytes], sizes: list[int], start: int) -> None:
    raw = b"".join(parts)
    start = min(start, len(raw))
    messages = split(raw, sizes, start)
    check(raw, messages, start)
    assert messages == split(raw, [], start)


@each_row("character", [b"x", "é".encode(), "語".encode(), "🎉".encode(), b"\xff", b"\x80"])
@each_row("excess", [-1, 0, 1, 2, 3, PIECE])
@each_row("end", [b"", b"\n", b"\nmore\n"])
def test_long_lines_go_out_in_pieces(character: bytes, excess: int, end: bytes) -> None:
    raw = b"ab\n-" + character * ((PIECE + excess) // len(character)) + end
    messages = split(raw, [10, 100_000])
    check(raw, messages)
    assert messages == split(raw, [])
    if character not in (b"\xff", b"\x80"):
        assert "\ufffd" not in "".join(text for text, _ in messages)


def test_a_line_that_never_ends_is_not_kept() -> None:
    splitter = LineSplitter(0)
    sent = sum(len(text) for _ in range(100) for text, _ in splitter.feed(b"x" * 100_000))
    assert 100 * 100_000 - PIECE <= sent < 100 * 100_000


@each_row("size", [0, 1, 60, 90, 125, 126, 65_000, 70_000])
def test_frames(size: int) -> None:
    from websockets.frames import Frame
    from websockets.streams import StreamReader

    messages = [("x" * size, size + 1), ("é\u2028\n\x00", 99)]
    data = websocket_lines(messages)
    reader = StreamReader()
    reader.feed_data(data)
    for text, offset in messages:
        frames: list[Frame] = []

        def parse(into: list[Frame] = frames) -> Generator[None, None, None]:
            into.append((yield from Frame.parse(reader.read_exact, mask=False)))

        assert list(parse()) == []
        assert json.loads(frames[0].data) == {"type": "log", "message": text, "offset": offset}


def test_events_are_ascii_with_the_offset_as_id() -> None:
    first, second, rest = sse_lines([("é\u2028", 4), ("", 5)]).split(b"\n\n")
    assert first == b'id: 4\ndata: {"type":"log","message":"\\u00e9\\u2028","offset":4}'
    assert second == b'id: 5\ndata: {"type":"log","message":"","offset":5}'
    assert rest == b""


@each_row(
    ("name", "path"),
    [
        ("a", "a.py"),
        ("a.b_1", "a/b_1.py"),
        ("a/b.py", "a/b.py"),
        ("a.py", "a.py"),
        ("../a", None),
        ("../a.py", None),
        ("/etc/a.py", None),
        ("a..b", None),
        ("a/../b.py", None),
        ("a\n", None),
        ("", None),
        (".py", None),
        ("1a", None),
        ("a" * 201, None),
        ("a\\b.py", None),
    ],
)
def test_module_names(name: str, path: str | None) -> None:
    assert module_file(name) == path


def test_packages() -> None:
    plugin = {"pkg/a.py": b"old"}
    package = build_package(plugin, {"pkg/a.py": "new", "q/b.py": ""}, "{}")
    assert package == build_package(plugin, {"q/b.py": "", "pkg/a.py": "new"}, "{}")
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        names = ["_synapse_params.json", RUNNER, "pkg/__init__.py", "pkg/a.py", "q/__init__.py", "q/b.py"]
        assert archive.namelist() == names
        assert archive.read("pkg/a.py") == b"new"


def test_redaction() -> None:
    names = (
        *(
            "MY_TOKEN",
            "db_password",
            "SSH_KEY",
            "KEY",
            "AWS_ACCESS_KEY_ID",
            "PGPASSWORD",
            "MYSQL_PWD",
        ),
        *("SENTRY_DSN", "AUTHORIZATION", "BASIC_AUTH", "SESSION_COOKIE", "AZURE_STORAGE_CONNECTION_STRING"),
        *("GITHUB_PAT", "TLS_CERT", "SLACK_WEBHOOK", "PASSPHRASE", "SYNAPSE_ACTION_PARAMS", "DB_PASS"),
    )
    open_names = (
        "PATH",
        "MONKEY",
        "AUTHOR",
        "KEYBOARD",
        "SSL_CERT_FILE",
        "SYNAPSE_ACTION_PARAMS_FILE",
        "COMPASS",
    )
    shown = dict.fromkeys(open_names, "s")
    job = {
        "runtime_env": {
            "env_vars": dict.fromkeys(names, "s") | shown | {"PROXY": "http://u:s3cret@proxy:1/"},
            "pip": {
                "packages": ["x", "--index-url https://u:s3cret@host/simple", "y @ git+ssh://t0ken@host/y"]
            },
        },
        "message": "pip failed: https://u:s3cr@et@host/simple, and a@b.c",
    }
    masked = {
        "runtime_env": {
            "env_vars": dict.fromkeys(names, "***") | shown | {"PROXY": "http://***@proxy:1/"},
            "pip": {"packages": ["x", "--index-url https://***@host/simple", "y @ git+ssh://***@host/y"]},
        },
        "message": "pip failed: https://***@host/simple, and a@b.c",
    }
    assert redact([job]) == [masked]
    assert job["runtime_env"]["env_vars"]["MY_TOKEN"] == "s"  # type: ignore[index]


class WithParams:
    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def execute(self) -> dict[str, Any]:
        return {"params": self.params}


async def coroutine(x: int) -> int:
    await asyncio.sleep(0)
    return x


@each_row(
    ("target", "params", "outcome"),
    [
        (lambda: "none", {"x": 1}, "none"),
        (lambda params: params, {"x": 1}, {"x": 1}),
        (lambda params: params, {"params": 1}, {"params": 1}),
        (lambda config: config, {"x": 1}, {"x": 1}),
        (lambda x: x, {"x": 1}, 1),
        (lambda x=5: x, {}, 5),
        (lambda x, y=2: (x, y), {"x": 1}, (1, 2)),
        (lambda **more: more, {"x": 1}, {"x": 1}),
        (lambda a, **more: (a, more), {"a": 1, "x": 1}, (1, {"x": 1})),
        (dict, {"x": 1}, {"x": 1}),
    ],
)
def test_how_functions_are_called(target: Any, params: dict[str, Any], outcome: object) -> None:
    assert _runner._call(target, params) == outcome
