"""A connection that breaks is made again, and the stream goes on where it stopped."""

from __future__ import annotations

import pytest

from synapse_sdk.clients.exceptions import StreamError
from synapse_sdk.utils.network import StreamLimits

from .conftest import Tailer
from .scripted import Agent, Peer, Script

LINES = [f"line {n} é" for n in range(6)]


def with_offsets(end: str, count: int) -> Script:
    def script(peer: Peer) -> None:
        peer.lines(*LINES[:count])
        getattr(peer, end)()

    return script


def replaying(end: str, count: int) -> Script:
    def script(peer: Peer) -> None:
        for line in LINES[:count]:
            peer.log(line)
        getattr(peer, end)()

    return script


def everything(peer: Peer) -> None:
    peer.lines(*LINES)
    peer.complete()


@pytest.mark.parametrize("end", ["end", "fin", "reset"])
@pytest.mark.parametrize("count", [1, 3, 6])
def test_with_offsets_the_stream_goes_on_from_there(tail: Tailer, end: str, count: int) -> None:
    with Agent(with_offsets(end, count), everything) as agent:
        result = tail(agent.url)
        second = agent.streams[1]
    assert result.whole() == LINES
    assert result.stream.reconnects == 1
    if end != "reset":  # which may throw away what was not read yet
        assert second.offset == sum(len(line.encode()) + 1 for line in LINES[:count])


@pytest.mark.parametrize("end", ["end", "fin", "reset"])
def test_without_offsets_the_replay_is_skipped(tail: Tailer, end: str) -> None:
    with Agent(replaying(end, 2), replaying(end, 4), replaying("complete", 6)) as agent:
        assert tail(agent.url).whole() == LINES


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_a_replay_may_be_cut_into_other_pieces(tail: Tailer, size: int) -> None:
    text = "".join(line + "\n" for line in LINES)

    def first(peer: Peer) -> None:
        peer.log(text[:25])
        peer.fin()

    def second(peer: Peer) -> None:
        for start in range(0, len(text), size):
            peer.log(text[start : start + size])
        peer.complete()

    with Agent(first, second) as agent:
        assert tail(agent.url).whole() == LINES


def test_a_replay_that_differs_is_an_error(tail: Tailer) -> None:
    def second(peer: Peer) -> None:
        for line in [LINES[0], "changed!", *LINES[2:]]:
            peer.log(line)
        peer.complete()

    with Agent(replaying("fin", 3), second) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    assert isinstance(result.error, StreamError)
    assert "not what they were" in str(result.error)


def test_a_replay_shorter_than_what_was_seen_is_an_error(tail: Tailer) -> None:
    with Agent(replaying("fin", 3), replaying("complete", 2)) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    assert isinstance(result.error, StreamError)


def test_a_gap_in_the_offsets_is_an_error(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.log("one", 4)
        peer.log("three", 14)
        peer.complete()

    with Agent(script) as agent:
        result = tail(agent.url)
    assert result.lines == ["one"]
    assert isinstance(result.error, StreamError)
    assert "byte 4" in str(result.error)


def test_an_agent_that_takes_no_notice_of_the_offset(tail: Tailer) -> None:
    def replay(peer: Peer) -> None:
        peer.request.headers.pop("last-event-id", None)
        peer.request.query.clear()
        everything(peer)

    with Agent(with_offsets("fin", 3), replay) as agent:
        assert tail(agent.url).whole() == LINES


def test_a_normal_close_ends_a_tail_only_when_the_job_is_over(tail: Tailer) -> None:
    with Agent(with_offsets("end", 6), status="SUCCEEDED") as agent:
        result = tail(agent.url)
        assert len(agent.streams) == 2  # the second looks for what was written last
    assert result.whole() == LINES
    assert result.stream.job_status == "SUCCEEDED"


def test_what_was_skipped_does_not_count_against_the_limits(tail: Tailer) -> None:
    limits = StreamLimits(max_lines=6, max_messages=6)
    with Agent(replaying("fin", 4), replaying("complete", 6)) as agent:
        assert tail(agent.url, limits=limits).whole() == LINES


def test_a_fresh_token_is_asked_for_at_every_connect(tail: Tailer) -> None:
    tokens = iter(f"token-{n}" for n in range(10))
    with Agent(with_offsets("fin", 3), everything) as agent:
        result = tail(agent.url, token=lambda: next(tokens))
        used = [request.headers["authorization"] for request in agent.requests]
    assert result.whole() == LINES
    assert len(set(used)) == len(used)


def test_a_job_deleted_while_tailed_ends_with_404(tail: Tailer) -> None:
    def gone(peer: Peer) -> None:
        peer.answer(404, b'{"detail": "no such job"}')

    with Agent(with_offsets("fin", 3), gone) as agent:
        result = tail(agent.url)
    assert result.lines == LINES[:3]
    assert result.error is not None
    assert result.error.status_code == 404
