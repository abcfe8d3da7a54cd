"""What does not end a log: each of these lost or made up lines once, or could."""

from __future__ import annotations

import json
from typing import Any, Literal

from chaos.logs import complete, encode, messages
from tables import each_row

from .in_memory import Answer, End, Framing, Outcome, run_tail

LOG = "one\ntwo\nthree\n"
LINES = ["one", "two", "three"]

Protocol = Literal["websocket", "http"]

both = each_row("protocol", ["websocket", "http"])
with_and_without_offsets = each_row("offsets", [True, False], ids=["offsets", "replay"])


def data(protocol: Protocol, lines: int, *, offsets: bool, start: int = 0, ends: bool = False) -> bytes:
    """The bytes of a stream with so many lines of the log, from a byte on."""
    sent = messages("offsets" if offsets else "lines", LOG, start=start if offsets else 0)
    sent = sent[: max(0, lines - (len(LINES) - len(sent)))]
    if ends:
        sent.append(complete(0))
    return b"".join(encode(message, websocket=protocol == "websocket") for message in sent)


def run(
    protocol: Protocol, offsets: bool, *connections: tuple[int, End], status: str = "SUCCEEDED"
) -> Outcome:
    """Tail through connections that each give so many lines and end so; the one after them gives all."""
    left = list(connections)

    def connect(command: Any) -> Answer:
        asked = command.params.get("offset", command.headers.get("Last-Event-ID", "0"))
        lines, end = left.pop(0) if left else (len(LINES), "closed")
        ends = lines == len(LINES) and end == "closed"
        return Answer(data(protocol, lines, offsets=offsets, start=int(asked), ends=ends), end)

    return run_tail(protocol, connect, lambda: status)


@both
@with_and_without_offsets
@each_row("end", ["fin", "reset", "silent"])
def test_breaks_before_the_first_line_of_a_finished_job(protocol: Protocol, offsets: bool, end: End) -> None:
    assert run(protocol, offsets, (0, end), (0, end), (0, end)).whole() == LINES


@both
@with_and_without_offsets
@each_row("end", ["fin", "reset", "silent"])
def test_breaks_each_further_on_in_the_log_of_a_finished_job(
    protocol: Protocol, offsets: bool, end: End
) -> None:
    assert run(protocol, offsets, (1, end), (2, end)).whole() == LINES


@both
@with_and_without_offsets
def test_a_close_by_the_book_after_something_new(protocol: Protocol, offsets: bool) -> None:
    assert run(protocol, offsets, (1, "closed"), (2, "closed")).whole() == LINES


@both
@with_and_without_offsets
def test_a_peer_that_falls_silent_after_something_new(protocol: Protocol, offsets: bool) -> None:
    assert run(protocol, offsets, (1, "fin"), (2, "silent")).whole() == LINES


@both
def test_a_replay_that_falls_silent_on_its_way(protocol: Protocol) -> None:
    assert run(protocol, False, (2, "fin"), (1, "silent")).whole() == LINES


@both
@with_and_without_offsets
def test_a_long_event_that_comes_slowly_after_the_jobs_end(protocol: Protocol, offsets: bool) -> None:
    """Each part of it shows that the peer lives and has more to say, though no line is whole for a while."""
    line = "x" * 100

    def slow(command: Any) -> Answer:
        connections.append(command)
        if len(connections) == 1:
            return Answer(b"", "fin")
        sent = [*messages("offsets" if offsets else "lines", line + "\n"), complete(0)]
        data = b"".join(encode(message, websocket=protocol == "websocket") for message in sent)
        return Answer(data, "closed", reads=(30,), pause=0.3)

    connections: list[Any] = []
    assert run_tail(protocol, slow, lambda: "SUCCEEDED").whole() == [line]


@both
def test_a_replay_that_ends_by_the_book_before_what_came_before(protocol: Protocol) -> None:
    """What is still held back was received all the same."""
    outcome = run(protocol, False, (2, "fin"), (1, "closed"))
    if outcome.error is None:
        assert outcome.lines == LINES
    else:
        assert outcome.error.status_code == 503


@both
def test_a_close_by_the_book_without_anything_new_ends_the_log_of_a_finished_job(protocol: Protocol) -> None:
    """Agents that say no `complete` end a log so."""
    answers = iter([Answer(data(protocol, 3, offsets=False), "closed")] * 2)
    outcome = run_tail(protocol, lambda _: next(answers), lambda: "SUCCEEDED")
    assert outcome.whole() == LINES


@both
def test_pieces_cut_off_before_the_first_newline(protocol: Protocol) -> None:
    def pieces(*texts: str) -> bytes:
        events = [json.dumps({"message": text}) for text in texts]
        if protocol == "http":
            return b"".join(f"data: {event}\n\n".encode() for event in events)
        return b"".join(bytes([0x81, len(event)]) + event.encode() for event in events)

    ends = json.dumps({"type": "complete"})
    last = f"data: {ends}\n\n".encode() if protocol == "http" else bytes([0x81, len(ends)]) + ends.encode()
    answers = iter([Answer(pieces("o", "n"), "fin"), Answer(pieces("one", "\ntwo\n") + last, "closed")])
    assert run_tail(protocol, lambda _: next(answers), lambda: "RUNNING").whole() == ["one", "two"]


@each_row("framing", ["chunked", "until close"])
@each_row("end", ["fin", "reset", "closed"])
@each_row("part", [b"data:", b"data: ", b'data: {"type', b"dat"])
def test_an_event_cut_off_anywhere_is_no_line(framing: Framing, end: End, part: bytes) -> None:
    def connect(command: Any) -> Answer:
        start = command.headers.get("Last-Event-ID")
        if start is None:
            return Answer(data("http", 1, offsets=True) + part, end, framing=framing)
        return Answer(data("http", 3, offsets=True, start=int(start), ends=True), "closed", framing=framing)

    assert run_tail("http", connect, lambda: "RUNNING").whole() == LINES


@each_row("end", ["fin", "reset"])
def test_plain_text_cut_off_in_a_line_is_no_line(end: End) -> None:
    answers = iter(
        [
            Answer(b"one\ntw", end, content_type="text/plain"),
            Answer(LOG.encode(), "closed", content_type="text/plain"),
            Answer(LOG.encode(), "closed", content_type="text/plain"),
        ]
    )
    assert run_tail("http", lambda _: next(answers), lambda: "SUCCEEDED").whole() == LINES


def test_plain_text_counts_as_the_log_has_it_with_its_carriage_returns() -> None:
    """Else a replay over the other protocol, which keeps them, seems to be of another log."""
    answer = Answer(b"one\r\n\r\ntwo\n", "closed", content_type="text/plain")
    outcome = run_tail("http", lambda _: answer, lambda: "SUCCEEDED")
    assert outcome.whole() == ["one", "", "two"]
    assert outcome.tail.log.buffer.delivered_bytes == 11


def test_an_event_of_several_lines_of_data_that_is_whole_needs_no_blank_line() -> None:
    body = b'data: {"type": "log",\ndata: "message": "one"}\n'
    outcome = run_tail("http", lambda _: Answer(body, "closed"), lambda: "SUCCEEDED")
    assert outcome.whole() == ["one"]
