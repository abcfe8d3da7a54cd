"""What agents put on the wire, by the book and not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import each_row
from websockets.frames import Opcode

from synapse_sdk.clients.exceptions import ClientError, NotFoundError, StreamError, WebSocketError

from .conftest import Tailer
from .in_memory import run_events
from .rows import row
from .scripted import Agent, Peer, plays

LINES = ["one", "two", "three"]

everything = plays.lines(*LINES).complete()


# --- server-sent events


@row(27)
@each_row("missing", [b"", b"\n"], ids=["both line ends", "the blank line"])
def test_a_last_event_without_its_blank_line_that_is_whole(http_tail: Tailer, missing: bytes) -> None:
    script = plays.lines("one").chunk(b'data: {"type": "log", "message": "two", "offset": 8}' + missing).end()
    with Agent(script, plays.accept().end(), status="SUCCEEDED") as agent:
        assert http_tail(agent.url).whole() == ["one", "two"]
        assert agent.offsets == [None, 8]


@row(27)
def test_a_complete_without_its_blank_line(http_tail: Tailer) -> None:
    script = plays.lines(*LINES).chunk(b'data: {"type": "complete", "status": "FAILED"}').end()
    with Agent(script) as agent:
        result = http_tail(agent.url)
        assert len(agent.streams) == 1
    assert result.whole() == LINES
    assert result.stream.job_status == "FAILED"


@row(27)
@each_row(
    "cut",
    [b"d", b"data", b"data:", b'data: {"ty', b'data: {"type": "log", "message": "two"', b'data: {"a": {}'],
)
def test_a_last_event_that_is_not_whole_is_resumed(http_tail: Tailer, cut: bytes) -> None:
    with Agent(plays.lines("one").chunk(cut).end(), everything) as agent:
        assert http_tail(agent.url).whole() == LINES
        assert agent.offsets == [None, 4]


@row(27)
def test_events_without_blank_lines_between_them(http_tail: Tailer) -> None:
    events = b"".join(b"data: " + json.dumps({"message": line}).encode() + b"\n" for line in LINES)
    with Agent(plays.chunk(events).complete()) as agent:
        assert http_tail(agent.url).whole() == LINES


@row(28)
def test_comments_fields_and_empty_events_are_no_lines(http_tail: Tailer) -> None:
    noise = b"id: 4\n:\n:\n: a comment\nretry: 3000\nevent: log\n\n\n\n"
    event = b'id: 8\ndata: {"type": "log", "message": "two", "offset": 8}\nretry: 1\n\n'
    with Agent(plays.chunk(noise).lines("one").chunk(noise + event + noise).complete()) as agent:
        assert http_tail(agent.url).whole() == ["one", "two"]


@row(28)
def test_ids_that_are_no_offsets(http_tail: Tailer) -> None:
    script = plays.chunk(b'id: abc\ndata: {"message": "one"}\n\nid: 7\ndata: {"message": "two"}\n\n').fin()
    with Agent(script, plays.logs(*LINES).complete()) as agent:
        assert http_tail(agent.url).whole() == LINES


@row(28)
def test_comments_count_as_life(http_tail: Tailer) -> None:
    def comments(peer: Peer) -> None:
        for _ in range(9):
            peer.pause(0.1)
            peer.chunk(b":\n")

    with Agent(plays.lines("one").then(comments).log("two", 8).complete()) as agent:
        assert http_tail(agent.url, timeout=0.3).whole() == ["one", "two"]
        assert len(agent.streams) == 1


def test_an_event_over_several_data_lines(http_tail: Tailer) -> None:
    with Agent(plays.chunk(b'data: {"type": "log",\ndata:  "message": "one"}\n\n').complete()) as agent:
        assert http_tail(agent.url).whole() == ["one"]


@each_row("content_type", ["text/plain", "text/plain; charset=utf-8"])
def test_a_body_of_plain_lines(http_tail: Tailer, content_type: str) -> None:
    script = plays.accept(content_type).chunk(b"one\n\ntwo: 2\n: three\nlast").end()
    with Agent(script, status="SUCCEEDED") as agent:
        assert http_tail(agent.url).whole() == ["one", "", "two: 2", ": three", "last"]


# --- malformed

COMPLETE = {"type": "complete", "status": "SUCCEEDED"}


def log(message: str) -> dict[str, Any]:
    return {"type": "log", "message": message}


MALFORMED: list[Any] = [
    [],
    [[{"type": "log"}]],
    42,
    -1.5,
    None,
    True,
    "text",
    {},
    {"type": 7},
    {"type": None},
    {"type": ["log"]},
    {"type": "later"},
    {"type": "log"},
    {"message": None},
    {"message": {"a": [1]}},
    {"message": ["a"]},
    {"message": 0},
    {"offset": "x"},
    {"message": "m", "offset": -1},
    {"message": "m", "offset": 1.5},
    {"message": "m", "offset": True},
    {"message": "m", "offset": [1]},
    {"message": "half a pair \ud83d"},
]


@row(41)
@each_row("protocol", ["websocket", "http"])
@each_row("event", MALFORMED, ids=str)
def test_a_malformed_event_is_text_or_nothing(protocol: Any, event: object) -> None:
    lines = run_events(protocol, [log("before\n"), event, log("\nafter\n"), COMPLETE]).whole()
    assert lines[0] == "before"
    assert lines[-1] == "after"
    "".join(lines).encode()  # anyone can print them


@row(41)
def test_bare_text_is_a_log_line(tail: Tailer) -> None:
    texts = ["plain text", "42", "[1, 2]", "null", "{not json", "key: value", '"quoted"', "[" * 3000]
    script = plays
    for text in texts:
        script = script.text(text)
    with Agent(script.complete()) as agent:
        assert tail(agent.url).whole() == texts


@row(41)
@each_row("protocol", ["websocket", "http"])
@each_row("offset", [1 << 70, 10**400])
def test_an_offset_out_of_this_world(protocol: Any, offset: int) -> None:
    outcome = run_events(protocol, [log("one") | {"offset": 4}, log("two") | {"offset": offset}, COMPLETE])
    assert outcome.lines[:1] == ["one"]
    assert isinstance(outcome.error, StreamError)


@row(41)
@each_row("protocol", ["websocket", "http"])
@each_row("code", [None, "404", 200, 99, 600, 1 << 70, True, 404.0, [404]])
def test_an_error_event_with_an_impossible_status(protocol: Any, code: object) -> None:
    error = run_events(protocol, [{"type": "error", "message": "broken", "status_code": code}]).error
    assert error is not None
    assert error.status_code == 500
    assert "broken" in str(error)


@row(41)
@each_row("status", [None, 7, ["SUCCEEDED"], "A_LATER_STATUS"])
def test_a_complete_with_an_odd_status(tail: Tailer, status: object) -> None:
    with Agent(plays.logs("one").event({"type": "complete", "status": status}).wait_for_close()) as agent:
        assert tail(agent.url).whole() == ["one"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
events = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["log", "connected", "heartbeat", "later"]) | json_values,
        "message": json_values,
        "offset": st.integers(-1, 50) | json_values,
        "status": json_values,
    },
)


@row(41)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events | json_values | st.binary(max_size=20), max_size=8))
def test_nothing_foreign_gets_out_whatever_is_sent(tail: Tailer, sent: list[Any]) -> None:
    """What is garbage to the end makes the next connection hear that the job is no more."""

    def script(peer: Peer) -> None:
        peer.accept()
        for message in sent:
            if not isinstance(message, bytes):
                peer.event(message)
            elif peer.websocket:
                peer.frame(Opcode.TEXT, message)
            else:
                peer.chunk(message or b"\n")
        peer.chunk(b"\n\n") if not peer.websocket else None
        peer.complete()

    with Agent(script, plays.answer(404, b"{}")) as agent:
        result = tail(agent.url)
    assert result.error is None or isinstance(result.error, ClientError)
    assert all("\n" not in line for line in result.lines)
    "".join(result.lines).encode()


@row(41)
@each_row(
    "garbage",
    [
        b"\x83\x00",  # an opcode there is not
        b"\x89\x7e\x00\x80" + b"x" * 128,  # a ping too long
        b"\x81\x85abcdxxxxx",  # masked, which only clients do
        b"\x80\x01x",  # a continuation of nothing
        b"\x88\x01x",  # a close code cut short
        b"\x88\x02\x03\xed",  # close code 1005, which is never sent
        b"HTTP/1.1 200 OK\r\n\r\n" * 10,
        bytes(range(256)),
    ],
)
def test_garbage_in_place_of_frames_is_a_drop(websocket_tail: Tailer, garbage: bytes) -> None:
    with Agent(plays.lines("one").raw(garbage).wait_for_close(), everything) as agent:
        assert websocket_tail(agent.url).whole() == LINES


@row(41)
@each_row("garbage", [b"garbage\r\n", b"-1\r\n", b"5\r\nabcdeXX", b"\r\n", b"ffffffffffffffffff\r\n"])
def test_garbage_in_place_of_chunks_is_a_drop(http_tail: Tailer, garbage: bytes) -> None:
    with Agent(plays.lines("one").raw(garbage).fin(), everything) as agent:
        assert http_tail(agent.url).whole()[-3:] == LINES[-3:]


# --- error events


@row(42)
@each_row(("code", "kind"), [(404, NotFoundError), (503, ClientError), (429, ClientError)])
def test_an_error_event_is_raised_after_the_lines_before_it(
    tail: Tailer, code: int, kind: type[ClientError]
) -> None:
    with Agent(plays.lines(*LINES).error("the job is no more", code).wait_for_close()) as agent:
        result = tail(agent.url)
        assert len(agent.streams) == 1
    assert result.lines == LINES
    error = result.failed(code)
    assert isinstance(error, kind)
    assert "the job is no more" in str(error)


@row(42)
def test_an_error_event_without_a_status(tail: Tailer) -> None:
    with Agent(plays.lines(*LINES).error("out of memory").wait_for_close()) as agent:
        result = tail(agent.url)
    assert result.lines == LINES
    assert "out of memory" in str(result.error)
    assert isinstance(result.error, WebSocketError if tail.protocol == "websocket" else StreamError)


@row(42)
def test_an_error_event_after_text_that_was_still_held_back(tail: Tailer) -> None:
    with Agent(plays.logs("one", "two").error("broken", 500).wait_for_close()) as agent:
        result = tail(agent.url)
    assert result.lines == ["one", "two"]
    result.failed(500)


@row(42)
def test_an_error_event_that_echoes_the_token(tail: Tailer) -> None:
    with Agent(plays.error("bad token a-secret-token", 403).wait_for_close()) as agent:
        error = tail(agent.url, token="a-secret-token").failed(403)
    assert "a-secret-token" not in str(error)
