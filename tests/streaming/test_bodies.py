"""What the body of an HTTP log stream means: server-sent events by their specification, and plain text."""

from __future__ import annotations

import json
from itertools import product

from tables import each_row

from synapse_sdk.clients.exceptions import StreamLimitExceededError
from synapse_sdk.streaming._sse import EventSource
from synapse_sdk.utils.network import StreamLimits

from .in_memory import Answer, Outcome, run_tail
from .rows import row

ENDS = [b"\n", b"\r", b"\r\n"]
LINES = ["one", "two", "three"]
COMPLETE = b'data: {"type": "complete"}'


def event(line: str) -> bytes:
    return b"data: " + json.dumps({"type": "log", "message": line + "\n"}).encode()


def tail(body: bytes, *, read: int = 65_536, content_type: str = "text/event-stream") -> Outcome:
    """Tail a finished job whose log is answered with this body."""
    answer = Answer(body, "closed", reads=(read,), framing="until close", content_type=content_type)
    return run_tail("http", lambda _: answer, lambda: "SUCCEEDED")


# --- server-sent events


@row(24)
@each_row("read", [1, 2, 65_536])
@each_row("ends", list(product(ENDS, repeat=3)))
def test_lines_of_events_end_with_cr_or_lf_or_both(ends: tuple[bytes, ...], read: int) -> None:
    """Each line of the body ends in another way, in turn; what a line is stays the same."""
    lines = [b": comment", b"id: 4", event("one"), b"", event("two"), b"retry: 1", b""]
    lines += [b"", b'data: {"type": "log",', b'data: "message": "three\\n"}', b"", COMPLETE, b""]
    body = b"".join(line + ends[number % 3] for number, line in enumerate(lines))
    assert tail(body, read=read).whole() == LINES


def test_an_event_is_taken_when_its_cr_is_there() -> None:
    """An LF may follow, but must not be waited for."""
    source = EventSource(max_size=1_000)
    (batch,) = source.receive(event("one") + b"\r")
    assert [json.loads(text)["message"] for text in batch.texts] == ["one\n"]
    assert source.receive(b"\n") == []
    assert source.receive(b'data: {"type": "log",\rdata: "message": "two"}\r') == []
    (batch,) = source.receive(b"\r")
    assert [json.loads(text)["message"] for text in batch.texts] == ["two"]


@each_row("read", [1, 2, 3, 65_536])
@each_row("first", [event("one") + b"\n\n", b"one\n", b"\n\none\n", b": comment\none\n"])
def test_a_byte_order_mark_at_the_start_is_skipped(first: bytes, read: int) -> None:
    assert tail(b"\xef\xbb\xbf" + first + COMPLETE + b"\n\n", read=read).whole() == ["one"]


def test_a_byte_order_mark_elsewhere_is_text() -> None:
    assert tail(b"one\n\xef\xbb\xbftwo\n" + COMPLETE + b"\n\n").whole() == ["one", "\ufefftwo"]


def test_a_part_of_a_byte_order_mark_is_text() -> None:
    assert tail(b"\xef\xbbone\n" + COMPLETE + b"\n\n", read=1).whole() == ["\ufffdone"]


@row(25)
@each_row("read", [1, 65_536])
def test_progress_bars_between_events_keep_their_carriage_returns(read: int) -> None:
    body = event("one") + b"\n\n\r 10%\r 20%\n\r\r 30%\n" + COMPLETE + b"\n\n"
    assert tail(body, read=read).whole() == ["one", "\r 10%\r 20%", "\r\r 30%"]


@row(19)
def test_an_oversize_comment_is_still_a_comment() -> None:
    body = b":" + b"x" * (1 << 21) + b"\n" + event("one") + b"\n\n" + COMPLETE + b"\n\n"
    assert tail(body).whole() == ["one"]


# --- plain text


@each_row("read", [1, 3, 65_536])
@each_row("content_type", ["text/plain", "text/plain; charset=utf-8"])
def test_in_plain_text_a_line_is_a_line(content_type: str, read: int) -> None:
    lines = [
        '{"level":"info","msg":"x"}',
        '{"type":"complete"}',
        '{"type":"error","message":"no more"}',
        '{"type":"log","message":"a"}',
        'data: {"type":"heartbeat"}',
        ": no comment",
        "",
        "\r 10%\r 20%",
        "a 🚀 rocket",
    ]
    body = "".join(line + "\n" for line in lines).encode()
    outcome = tail(body, read=read, content_type=content_type)
    assert outcome.whole() == lines
    assert outcome.tail.log.buffer.delivered_bytes == len(body)


@each_row("read", [1, 65_536])
def test_bytes_of_plain_text_that_are_not_utf8_are_replaced(read: int) -> None:
    assert tail(b"a \xff b\xf0\x9f\nc\xf0\x9f", read=read, content_type="text/plain").whole() == [
        "a \ufffd b\ufffd",
        "c\ufffd",
    ]


def test_plain_text_cut_in_a_character_goes_on_there() -> None:
    log = "one\na 🚀 rocket\n".encode()
    answers = iter(
        [
            Answer(log[:8], "reset", framing="until close", content_type="text/plain"),
            Answer(log, "closed", framing="until close", content_type="text/plain"),
            Answer(log, "closed", framing="until close", content_type="text/plain"),
        ]
    )
    outcome = run_tail("http", lambda _: next(answers), lambda: "SUCCEEDED")
    assert outcome.whole() == ["one", "a 🚀 rocket"]


# --- a line that never ends


@row(19)
@each_row(
    ("content_type", "start"),
    [
        ("text/event-stream", b'data: {"type": "log", "message": "'),
        ("text/event-stream", b""),
        ("text/plain", b""),
    ],
)
def test_max_bytes_ends_a_line_that_never_does(content_type: str, start: bytes) -> None:
    limits = StreamLimits(max_bytes=3 << 20)
    body = event("one") + b"\n\n" if content_type != "text/plain" else b"one\n"
    answer = Answer(body + start + b"x" * (5 << 20), "silent", content_type=content_type)
    outcome = run_tail("http", lambda _: answer, lambda: "RUNNING", limits=limits)
    assert outcome.lines == ["one"]
    assert isinstance(outcome.error, StreamLimitExceededError)
    assert "max_bytes" in str(outcome.error)


@row(19)
def test_a_long_line_of_escapes_is_counted_as_the_log_has_it() -> None:
    """A byte of the log may be six on the wire, so a longer line may still fit into `max_bytes`."""
    size = 700_000
    body = b'data: {"type": "log", "message": "' + b"\\u0001" * size + b'"}\n\n' + COMPLETE + b"\n\n"
    limits = StreamLimits(max_bytes=1 << 20)
    answer = Answer(body, "closed", framing="until close")
    (line,) = run_tail("http", lambda _: answer, lambda: "SUCCEEDED", limits=limits).whole()
    assert line.startswith("\x01" * 10_240)
