"""Windows of logs that the client cuts out itself, because the agent answered the whole log."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk._rest._log_window import LogWindow, WindowReader
from synapse_sdk.clients.exceptions import ClientError, ServerError, ValidationError
from synapse_sdk.testing._window import Window

JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain; charset=utf-8"}

# With what escapes, what takes more than a byte, and what looks like an escape.
LOGS = st.text(st.sampled_from('a"\\u \né🚀\t\x00d83'), max_size=60)
NUMBERS = st.none() | st.integers(0, 80)


def read(window: LogWindow, headers: dict[str, str], *pieces: bytes) -> str:
    reader = WindowReader(window, headers)
    for piece in pieces:
        reader.feed(piece)
        if reader.full:
            break
    value: Any = json.loads(reader.body())
    assert isinstance(value, str)
    return value


def pieces_of(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(body) + 1) for cut in cuts})
    return [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]


@settings(max_examples=500, deadline=None)
@given(
    log=LOGS,
    tail=NUMBERS,
    offset=NUMBERS,
    limit=NUMBERS,
    cuts=st.lists(st.integers(0, 1000), max_size=8),
    kind=st.sampled_from(["escaped", "plain JSON", "text", "object", "without a type"]),
)
def test_it_is_what_an_agent_would_cut(
    log: str, tail: int | None, offset: int | None, limit: int | None, cuts: list[int], kind: str
) -> None:
    data = log.encode()
    window = LogWindow({"tail": tail, "offset": offset, "limit_bytes": limit})
    headers = {"text": TEXT, "without a type": {}}.get(kind, JSON)
    body = {
        "escaped": json.dumps(log).encode(),
        "plain JSON": b" " + json.dumps(log, ensure_ascii=False).encode() + b"\n ",
        "text": data,
        "object": json.dumps({"logs": log}).encode(),
        "without a type": json.dumps(log).encode(),
    }[kind]
    if (offset or 0) > len(data):
        with pytest.raises(ClientError) as caught:
            read(window, headers, *pieces_of(body, cuts))
        assert caught.value.status_code == 416
        return
    start, end = Window(offset or 0, tail, limit).of(data)
    assert read(window, headers, *pieces_of(body, cuts)) == data[start:end].decode("utf-8", "replace")


@each_row("body", [b'"a', b'"a"b"', b'"\\x"', b'"\xff"', b'"a\nb"'])
@each_row("size", [1, 100])
def test_what_is_no_json_is_an_error(body: bytes, size: int) -> None:
    with pytest.raises(ServerError, match="not JSON") as caught:
        read(LogWindow({"tail": 1}), JSON, *(body[n : n + size] for n in range(0, len(body), size)))
    assert caught.value.status_code == 200


@each_row("name", ["tail", "offset", "limit_bytes"])
@each_row("value", [-1, True, 1.0, "1"])
def test_bad_windows_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name) as caught:
        LogWindow.of({name: value})
    assert caught.value.status_code == 400


def test_without_parameters_there_is_no_window() -> None:
    assert LogWindow.of({}) is None
    assert LogWindow.of({"tail": None, "offset": None, "limit_bytes": None}) is None


@each_row("line", ["a line of a log\n", "\\\\\\\\" * 40 + "\n", " " * 200, '"' * 60 + "\n", "🚀\n"])
@each_row("window", [{"tail": 5, "limit_bytes": 1000}, {"limit_bytes": 1000}, {"offset": 10**12}])
def test_memory_is_bounded_by_the_window(line: str, window: dict[str, int]) -> None:
    piece = json.dumps(line * 1000)[1:-1].encode()
    reader = WindowReader(LogWindow(window), JSON)
    reader.feed(b'"')
    tracemalloc.start()
    try:
        for _ in range(100):
            for start in range(0, len(piece), 7001):
                reader.feed(piece[start : start + 7001])
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
    assert peak < 1_000_000
