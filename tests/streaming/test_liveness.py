"""A quiet job is no dead peer, and a dead peer is noticed in time."""

from __future__ import annotations

import threading
import time

import pytest

from synapse_sdk.clients.exceptions import ClientTimeoutError

from .conftest import Tailer
from .idle_proxy import IdleProxy
from .rows import row
from .scripted import Agent, Peer, plays

LINES = [f"line {n} ✓" for n in range(6)]
SIZES = [sum(len(line.encode()) + 1 for line in LINES[: n + 1]) for n in range(len(LINES))]

half = plays.lines(*LINES[:3])
everything = plays.lines(*LINES).complete()


def second_half(peer: Peer) -> None:
    for line, offset in zip(LINES[3:], SIZES[3:], strict=True):
        peer.log(line, offset)
    peer.complete()


# --- quiet


@row(9)
def test_a_quiet_job_on_a_live_connection(tail: Tailer) -> None:
    with Agent(half.quiet(0.9).then(second_half)) as agent:
        result = tail(agent.url, timeout=0.3)
        assert len(agent.streams) == 1
    assert result.whole() == LINES
    assert result.stream.reconnects == 0


@row(9)
def test_a_quiet_job_whose_agent_pings_and_answers_nothing(websocket_tail: Tailer) -> None:
    def pings(peer: Peer) -> None:
        for _ in range(9):
            peer.pause(0.1)
            peer.heartbeat()

    with Agent(half.then(pings).then(second_half)) as agent:
        assert websocket_tail(agent.url, timeout=0.3).whole() == LINES
        assert len(agent.streams) == 1


@row(9)
@row(28)
def test_a_quiet_job_whose_agent_sends_comments(http_tail: Tailer) -> None:
    def comments(peer: Peer) -> None:
        for _ in range(9):
            peer.pause(0.1)
            peer.chunk(b": still there\n\n")

    with Agent(half.then(comments).then(second_half)) as agent:
        assert http_tail(agent.url, timeout=0.3).whole() == LINES
        assert len(agent.streams) == 1


class Mute:
    """An agent without heartbeats whose job says nothing between its first lines and a moment."""

    def __init__(self, seconds: float) -> None:
        self.speaks = time.monotonic() + seconds

    def __call__(self, peer: Peer) -> None:
        peer.accept()
        if not peer.request.offset:
            peer.lines(*LINES[:3])
        peer.pause(max(0.0, self.speaks - time.monotonic()))
        second_half(peer)


@row(9)
@pytest.mark.parametrize("status", ["PENDING", "RUNNING", "a later status"])
def test_a_quiet_job_without_heartbeats_lives_by_its_status(
    http_tail: Tailer, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 1)
    with Agent(Mute(1.0), status=status) as agent:
        result = http_tail(agent.url, timeout=0.2)
        assert any(request.path == "/jobs/job/" for request in agent.requests)
    assert result.whole() == LINES


@row(9)
def test_a_silence_over_http_ends_when_the_job_is_over(http_tail: Tailer) -> None:
    with Agent(half.silence(), plays.accept().end(), status="SUCCEEDED") as agent:
        result = http_tail(agent.url, timeout=0.2)
    assert result.whole() == LINES[:3]
    assert result.own_seconds < 2


# --- dead


@row(10)
def test_a_peer_that_vanishes_is_noticed_within_the_timeout(tail: Tailer) -> None:
    with Agent(half.silence(), everything) as agent:
        # Its status can't be had either, until it is back.
        agent.status_answers = [plays.silence()]
        result = tail(agent.url, timeout=0.4, rest_timeout=0.1)
        assert agent.offsets == [None, SIZES[2]]
    assert result.whole() == LINES
    assert result.seconds > 0.25
    assert result.own_seconds < 2


@row(10)
def test_a_peer_that_vanishes_inside_a_message(tail: Tailer) -> None:
    cut = half.cut_event({"type": "log", "message": LINES[3], "offset": SIZES[3]})
    with Agent(cut.silence(), everything) as agent:
        result = tail(agent.url, timeout=0.3)
    assert result.whole() == LINES
    assert result.own_seconds < 2


@row(10)
def test_a_peer_that_stays_away_is_a_408_in_the_end(tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 2)

    with Agent(half.silence(), plays.silence()) as agent:
        agent.status_answers = [plays.silence()] * 20
        result = tail(agent.url, timeout=0.2, rest_timeout=0.1, max_retries=0)
    assert result.lines == LINES[:3]
    error = result.failed(408)
    assert isinstance(error, ClientTimeoutError)
    assert "3 lines" in str(error)


@row(10)
def test_a_peer_that_reads_no_pings_for_ever_is_noticed_too(websocket_tail: Tailer) -> None:
    # Its buffers take the pings, so that only the missing answers tell.
    with Agent(half.silence(), everything) as agent:
        result = websocket_tail(agent.url, timeout=0.6)
    assert result.whole() == LINES
    assert result.seconds >= 0.4
    assert result.own_seconds < 2


# --- balancers


@row(11)
def test_pings_keep_an_idle_connection_up(websocket_tail: Tailer) -> None:
    with Agent(half.quiet(1.0).then(second_half)) as agent, IdleProxy(agent.port, idle=0.5) as proxy:
        result = websocket_tail(proxy.url, timeout=0.6)
        assert proxy.cuts == 0
    assert result.whole() == LINES
    assert result.stream.reconnects == 0


@row(11)
def test_a_connection_cut_for_being_idle_is_made_again(tail: Tailer) -> None:
    with Agent(Mute(0.7)) as agent, IdleProxy(agent.port, idle=0.2) as proxy:
        result = tail(proxy.url, timeout=30)
        assert proxy.cuts >= 1
    assert result.whole() == LINES
    assert result.stream.reconnects >= 1


# --- slow consumers


class Keepalive:
    """An agent that cuts off who does not answer its pings, or take its bytes, within 0.2 s."""

    def __init__(self) -> None:
        self.cut = threading.Event()
        self.count = 3000
        self.lines = [f"line {n} {'x' * 2000}" for n in range(self.count)]

    def __call__(self, peer: Peer) -> None:
        peer.accept()
        peer.sock.settimeout(0.2)
        position = 0
        start = peer.request.offset or 0
        try:
            for number, line in enumerate(self.lines):
                position += len(line) + 1
                if position > start:
                    peer.log(line, position)
                if peer.websocket and number % 500 == 0:
                    peer.heartbeat()
                    peer.sock.recv(1000)
        except TimeoutError:
            self.cut.set()
            peer.hang_up()
            return
        peer.sock.settimeout(None)
        peer.complete()


@row(12)
def test_a_consumer_that_pauses_longer_than_the_peer_allows(tail: Tailer) -> None:
    script = Keepalive()
    with Agent(script) as agent, tail.reading(agent.url) as reader:
        lines = [reader.next()]
        assert script.cut.wait(5)  # the consumer does something else until it is cut off
        lines += reader.rest()
        assert reader.stream.reconnects >= 1
    assert lines == script.lines


@row(12)
def test_a_consumer_that_pauses_again_and_again(tail: Tailer) -> None:
    def keepalive(peer: Peer) -> None:
        if peer.websocket:
            for line, offset in zip(LINES, SIZES, strict=True):
                if offset > (peer.request.offset or 0):
                    peer.log(line, offset)
                    peer.heartbeat()
                    peer.sock.settimeout(0.05)
                    try:
                        peer.sock.recv(1000)
                    except TimeoutError:
                        peer.hang_up()
                        return
            peer.sock.settimeout(None)
            peer.complete()
        else:
            peer.lines(*LINES)
            peer.complete()

    with Agent(keepalive) as agent, tail.reading(agent.url) as reader:
        lines = []
        for line in iter(reader.next_or_end, None):
            if not isinstance(line, str):
                break
            lines.append(line)
            time.sleep(0.1)
    assert lines == LINES
