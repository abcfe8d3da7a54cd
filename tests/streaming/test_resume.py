"""A connection that breaks is made again, and the stream goes on where it stopped: each line once."""

from __future__ import annotations

from typing import Any

import pytest
from tables import each_row

from synapse_sdk.clients.exceptions import AuthenticationError, NotFoundError, StreamError
from synapse_sdk.utils.network import StreamLimits

from .conftest import Tailer
from .in_memory import run_events
from .rows import row
from .scripted import Agent, Peer, Script, plays

LINES = [f"line {n} é" for n in range(6)]
TEXT = "".join(line + "\n" for line in LINES)

everything = plays.lines(*LINES).complete()


def size(*lines: str) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


# --- agents that give offsets


@each_row("end", ["end", "fin", "rst"])
@each_row("count", [1, 3, 6])
def test_with_offsets_the_stream_goes_on_from_there(tail: Tailer, end: str, count: int) -> None:
    with Agent(getattr(plays.lines(*LINES[:count]), end)(), everything) as agent:
        result = tail(agent.url)
        second = agent.streams[1]
    assert result.whole() == LINES
    assert result.stream.reconnects == 1
    if end != "rst":  # which may throw away what was not read yet
        assert second.offset == size(*LINES[:count])


def test_a_gap_in_the_offsets_is_an_error(tail: Tailer) -> None:
    with Agent(plays.log("one", 4).log("three", 14).complete()) as agent:
        result = tail(agent.url)
    assert result.lines == ["one"]
    assert isinstance(result.error, StreamError)
    assert "byte 4" in str(result.error)


@row(29)
def test_an_agent_that_takes_no_notice_of_the_offset(tail: Tailer) -> None:
    def replay(peer: Peer) -> None:
        peer.request.headers.pop("last-event-id", None)
        peer.request.query.clear()
        everything(peer)

    with Agent(plays.lines(*LINES[:3]).fin(), replay) as agent:
        assert tail(agent.url).whole() == LINES


@each_row("cut", range(1, 12))
def test_a_line_half_received_before_the_drop_arrives_whole(tail: Tailer, cut: int) -> None:
    def begins(peer: Peer) -> None:
        peer.log(LINES[0][:cut], len(LINES[0][:cut].encode()))
        peer.fin()

    def goes_on(peer: Peer) -> None:
        position = peer.request.offset or 0
        peer.log(TEXT.encode()[position:].decode(), len(TEXT.encode()))
        peer.complete()

    with Agent(begins, goes_on) as agent:
        assert tail(agent.url).whole() == LINES


# --- agents that replay the log from its start


@row(29)
@each_row("end", ["end", "fin", "rst"])
def test_without_offsets_the_replay_is_skipped(tail: Tailer, end: str) -> None:
    first, second = (getattr(plays.logs(*LINES[:count]), end)() for count in (2, 4))
    with Agent(first, second, plays.logs(*LINES).complete()) as agent:
        assert tail(agent.url).whole() == LINES
        assert agent.offsets == [None] * 3


@row(29)
@each_row("offsets", [True, False], ids=["offsets", "replay"])
def test_a_drop_at_each_event_in_turn(tail: Tailer, offsets: bool) -> None:
    verb = "lines" if offsets else "logs"

    def dropping_after(count: int) -> Script:
        return getattr(plays.connected(), verb)(*LINES[:count]).fin()  # type: ignore[no-any-return]

    last = getattr(plays, verb)(*LINES).complete()
    for count in range(len(LINES) + 1):
        with Agent(dropping_after(count), last) as agent:
            assert tail(agent.url).whole() == LINES, f"dropped after {count} events"
    # And all of them in one tail, each connection one event further.
    with Agent(*(dropping_after(count) for count in range(len(LINES) + 1)), last) as agent:
        assert tail(agent.url).whole() == LINES


def pieces(text: str, size: int = 1000) -> list[dict[str, str]]:
    """Messages without offsets, of so many characters each."""
    return [{"type": "log", "message": text[start : start + size]} for start in range(0, len(text), size)]


COMPLETE = {"type": "complete", "status": "SUCCEEDED"}


@row(30)
@each_row("protocol", ["websocket", "http"])
@each_row("first", [1, 4, 25, 1000])
@each_row("second", [1, 3, 10, 1000])
def test_a_replay_cut_into_other_pieces(protocol: Any, first: int, second: int) -> None:
    assert run_events(protocol, pieces(TEXT[:25], first), [*pieces(TEXT, second), COMPLETE]).whole() == LINES


@row(30)
@each_row("protocol", ["websocket", "http"])
@each_row("cut", range(1, len(LINES[0]) + 3))
def test_a_replay_in_pieces_of_lines_that_came_whole_cut_anywhere(protocol: Any, cut: int) -> None:
    again = [*pieces(TEXT[:cut]), *pieces(TEXT[cut:]), COMPLETE]
    assert run_events(protocol, pieces(TEXT[:cut]), again).whole() == LINES


def seen(*lines: str) -> Script:
    """Whole lines, which show that they are by a pause, and then a drop."""
    return plays.logs(*lines).quiet(0.2).fin()  # type: ignore[no-any-return]


@row(31)
def test_a_replay_that_differs_is_an_error(tail: Tailer) -> None:
    changed = plays.logs(LINES[0], "changed!", *LINES[2:]).complete()
    with Agent(seen(*LINES[:3]), changed) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    error = result.failed(503)
    assert isinstance(error, StreamError)
    assert "not what they were" in str(error)
    assert str(size(*LINES[:3])) in str(error)  # how far it had been the same


@row(31)
def test_a_rerun_whose_log_begins_otherwise_and_is_longer(tail: Tailer) -> None:
    rerun = plays.logs("another run", *LINES, *LINES).complete()
    with Agent(seen(*LINES), rerun) as agent:
        result = tail(agent.url)
    assert result.lines == LINES
    assert isinstance(result.failed(503), StreamError)


@row(32)
def test_a_replay_shorter_than_what_was_seen_and_complete(tail: Tailer) -> None:
    with Agent(seen(*LINES[:3]), plays.logs(*LINES[:2]).complete()) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(503), StreamError)


@row(32)
def test_a_replay_shorter_than_what_was_seen_that_ends_again_and_again(tail: Tailer) -> None:
    with Agent(seen(*LINES[:3]), plays.logs(*LINES[:2]).end()) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(503), StreamError)


@row(32)
def test_a_replay_shorter_than_what_was_seen_whose_job_goes_on_quietly(
    tail: Tailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 1)
    with Agent(seen(*LINES[:3]), plays.logs(*LINES[:2]).quiet(4)) as agent:
        result = tail(agent.url, timeout=0.3)
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(503), StreamError)
    assert result.own_seconds < 3


@row(32)
def test_offsets_that_begin_before_what_was_asked_for(tail: Tailer) -> None:
    def restarted(peer: Peer) -> None:
        peer.log("another run", 12)
        peer.complete()

    with Agent(plays.lines(*LINES).fin(), restarted) as agent:
        result = tail(agent.url)
    assert result.lines == LINES
    assert isinstance(result.failed(503), StreamError)


# --- what else a reconnect must get right


@row(38)
def test_a_fresh_token_is_asked_for_at_every_connect(tail: Tailer) -> None:
    tokens = iter(f"token-{n}" for n in range(10))
    with Agent(plays.lines(*LINES[:3]).fin(), everything) as agent:
        result = tail(agent.url, token=lambda: next(tokens))
        used = [request.headers["authorization"] for request in agent.requests]
    assert result.whole() == LINES
    assert len(set(used)) == len(used)


class ExpiringToken:
    """An agent that drops the stream when the token it began with expires, and refuses that from then on."""

    valid = "first-token"

    def __call__(self, peer: Peer) -> None:
        if peer.request.headers["authorization"] != self.valid:
            peer.answer(401, b'{"detail": "token expired"}')
        elif self.valid == "first-token":
            peer.lines(*LINES[:3])
            self.valid = "second-token"
            peer.fin()
        else:
            everything(peer)


@row(38)
def test_a_token_that_expired_mid_stream_is_replaced_at_the_reconnect(tail: Tailer) -> None:
    script = ExpiringToken()
    with Agent(script) as agent:
        assert tail(agent.url, token=lambda: script.valid).whole() == LINES


@row(38)
def test_a_token_that_expired_and_can_not_be_replaced_is_a_401_after_the_lines(tail: Tailer) -> None:
    with Agent(ExpiringToken()) as agent:
        result = tail(agent.url, token="first-token")
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(401), AuthenticationError)
    assert "first-token" not in str(result.error)


@row(46)
def test_what_is_skipped_does_not_count_against_the_limits(tail: Tailer) -> None:
    limits = StreamLimits(max_lines=6, max_messages=6, max_bytes=size(*LINES))
    with Agent(plays.logs(*LINES[:4]).fin(), plays.logs(*LINES).complete()) as agent:
        assert tail(agent.url, limits=limits).whole() == LINES


@row(46)
@each_row("verb", ["lines", "logs"])
@each_row("field", ["max_bytes", "per protocol"])
def test_a_limit_passed_after_a_reconnect_delivers_exactly_its_allowance(
    tail: Tailer, verb: str, field: str
) -> None:
    none: dict[str, Any] = {"max_lines": None, "max_messages": None, "max_bytes": None}
    if field == "max_bytes":
        limits = StreamLimits(**{**none, "max_bytes": size(*LINES[:4])})
    else:
        limits = StreamLimits(**{**none, "max_lines" if tail.protocol == "http" else "max_messages": 4})
    scripts = [getattr(plays, verb)(*LINES[:3]).fin(), getattr(plays, verb)(*LINES).complete()]
    with Agent(*scripts) as agent:
        result = tail(agent.url, limits=limits)
    assert result.lines == LINES[:4]
    result.failed(429)


@row(47)
def test_a_job_deleted_while_tailed_ends_with_404_after_the_lines(tail: Tailer) -> None:
    with Agent(plays.lines(*LINES[:3]).fin(), plays.answer(404, b'{"detail": "no such job"}')) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(404), NotFoundError)


@row(47)
def test_a_job_deleted_while_tailed_of_which_the_status_tells(tail: Tailer) -> None:
    with Agent(plays.lines(*LINES[:3]).fin()) as agent:
        agent.status_answers = [plays.answer(404, b'{"detail": "no such job"}')]
        result = tail(agent.url)
        assert len(agent.streams) == 1
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(404), NotFoundError)


@row(47)
def test_a_job_deleted_while_tailed_in_auto(auto_tail: Tailer) -> None:
    with Agent(plays.lines(*LINES[:3]).fin(), plays.answer(404, b'{"detail": "no such job"}')) as agent:
        result = auto_tail(agent.url)
    assert result.lines == LINES[:3]
    assert isinstance(result.failed(404), NotFoundError)


# --- changing the protocol


def test_in_auto_a_drop_may_change_the_protocol_with_a_known_position(auto_tail: Tailer) -> None:
    blocked = plays.answer(426, b"", "text/plain")
    with Agent(plays.lines(*LINES[:3]).fin(), blocked, everything) as agent:
        result = auto_tail(agent.url)
        assert agent.offsets == [None, size(*LINES[:3]), size(*LINES[:3])]
    assert result.whole() == LINES
    assert result.stream.protocol == "http"


def test_in_auto_a_drop_may_change_the_protocol_where_the_replay_is_the_same(auto_tail: Tailer) -> None:
    blocked = plays.answer(426, b"", "text/plain")
    with Agent(plays.logs(*LINES[:3]).fin(), blocked, plays.pieces(TEXT, 7).complete()) as agent:
        assert auto_tail(agent.url).whole() == LINES
