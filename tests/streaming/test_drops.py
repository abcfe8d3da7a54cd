"""A connection that ends proves nothing about the job: what came is delivered, and the tail goes on."""

from __future__ import annotations

import socket

from tables import each_row

from .conftest import Tailer
from .rows import row
from .scripted import Agent, Peer, plays

LINES = [f"line {n} ✓" for n in range(6)]
HALF = sum(len(line.encode()) + 1 for line in LINES[:3])

half = plays.lines(*LINES[:3])
everything = plays.lines(*LINES).complete()
next_event = {"type": "log", "message": LINES[3], "offset": HALF + len(LINES[3].encode()) + 1}


def goes_on(tail: Tailer, agent: Agent, *, asked: int | None = HALF) -> None:
    """The tail is whole after one reconnect, which asked for what was missing."""
    result = tail(agent.url)
    assert result.whole() == LINES
    assert result.stream.reconnects == 1
    assert agent.offsets == [None, asked]


@row(1)
def test_close_1000_while_the_job_runs(websocket_tail: Tailer) -> None:
    with Agent(half.close(1000), everything, status="RUNNING") as agent:
        goes_on(websocket_tail, agent)
        assert agent.requests[1].path == "/jobs/job/"  # the job's status was asked for


@row(1)
def test_close_1000_when_the_job_is_over(websocket_tail: Tailer) -> None:
    with Agent(half.close(1000), status="SUCCEEDED") as agent:
        result = websocket_tail(agent.url)
        assert len(agent.streams) == 2  # the second looks for what was written last
    assert result.whole() == LINES[:3]
    assert result.stream.job_status == "SUCCEEDED"


@row(1)
def test_what_was_written_last_is_fetched_once_the_job_is_over(tail: Tailer) -> None:
    with Agent(half.end(), plays.lines(*LINES).end(), status="FAILED") as agent:
        result = tail(agent.url)
    assert result.whole() == LINES
    assert result.stream.job_status == "FAILED"


@row(2)
@each_row("code", [1001, 1011, 1012, 1013, 4000])
def test_close_1001_of_a_rolling_restart(websocket_tail: Tailer, code: int) -> None:
    with Agent(half.close(code), everything) as agent:
        goes_on(websocket_tail, agent)


@row(2)
def test_an_agent_that_restarts_refuses_connections_for_a_while(tail: Tailer) -> None:
    restarting = plays.answer(503, b"starting", "text/plain")
    with Agent(half.end(), restarting, restarting, everything) as agent:
        assert tail(agent.url).whole() == LINES
        assert len(agent.streams) == 4


@row(3)
def test_a_close_frame_without_a_code(websocket_tail: Tailer) -> None:
    with Agent(half.close(None), everything) as agent:
        goes_on(websocket_tail, agent)


@row(4)
def test_fin_without_a_close_frame(websocket_tail: Tailer) -> None:
    with Agent(half.fin(), everything) as agent:
        goes_on(websocket_tail, agent)


@row(5)
def test_rst_right_after_data(tail: Tailer) -> None:
    # RST may throw away at the client's end what the client has not read, so the script waits till it has:
    # the acknowledgement of its TCP is no proof, its answer to a ping or to nothing but time is.
    def delivered(peer: Peer) -> None:
        if peer.websocket:
            peer.heartbeat()
            peer.sock.settimeout(5)
            peer.sock.recv(1000)
        else:
            peer.pause(0.05)

    with Agent(half.then(delivered).rst(), everything) as agent:
        goes_on(tail, agent)


@row(5)
def test_rst_that_throws_away_what_was_sent(tail: Tailer) -> None:
    with Agent(half.rst(), half.rst(), everything) as agent:
        assert tail(agent.url).whole() == LINES


@row(6)
@each_row("at", [0.01, 0.1, 0.5, 0.99])
def test_fin_inside_a_frame(websocket_tail: Tailer, at: float) -> None:
    with Agent(half.cut_event(next_event, at).fin(), everything) as agent:
        goes_on(websocket_tail, agent)


@row(6)
def test_fin_between_the_fragments_of_a_message(websocket_tail: Tailer) -> None:
    from websockets.frames import Opcode

    cut = half.frame(Opcode.TEXT, b'{"type": "log", "message": "line', fin=False)
    with Agent(cut.fin(), everything) as agent:
        goes_on(websocket_tail, agent)


@row(7)
def test_a_chunked_body_without_its_last_chunk(http_tail: Tailer) -> None:
    with Agent(half.fin(), everything) as agent:
        goes_on(http_tail, agent)


@row(7)
@each_row("at", [0.01, 0.5, 0.99])
def test_a_chunked_body_cut_inside_a_chunk(http_tail: Tailer, at: float) -> None:
    with Agent(half.cut_event(next_event, at).fin(), everything) as agent:
        assert http_tail(agent.url).whole() == LINES


@row(8)
def test_a_close_delimited_body_ends(http_tail: Tailer) -> None:
    with Agent(plays.http10().lines(*LINES[:3]).end(), everything) as agent:
        goes_on(http_tail, agent)


@row(8)
@each_row("at", [0.05, 0.3, 0.6, 0.9])
def test_a_close_delimited_body_ends_in_the_middle_of_json(http_tail: Tailer, at: float) -> None:
    with Agent(plays.http10().lines(*LINES[:3]).cut_event(next_event, at).fin(), everything) as agent:
        goes_on(http_tail, agent)


@row(8)
def test_a_close_delimited_body_ends_when_the_job_is_over(http_tail: Tailer) -> None:
    with Agent(plays.http10().lines(*LINES).end(), status="SUCCEEDED") as agent:
        assert http_tail(agent.url).whole() == LINES
        assert agent.offsets == [None, sum(len(line.encode()) + 1 for line in LINES)]


@row(43)
def test_attached_after_the_end_gives_the_whole_log(tail: Tailer) -> None:
    with Agent(everything, status="SUCCEEDED") as agent:
        result = tail(agent.url)
        assert len(agent.streams) == 1
    assert result.whole() == LINES
    assert result.stream.job_status == "SUCCEEDED"


@row(43)
def test_attached_after_the_end_to_an_agent_that_never_says_complete(tail: Tailer) -> None:
    with Agent(plays.logs(*LINES).end(), status="STOPPED") as agent:
        result = tail(agent.url)
    assert result.whole() == LINES
    assert result.stream.job_status == "STOPPED"


@row(43)
def test_attached_before_the_start_waits(tail: Tailer) -> None:
    with Agent(plays.connected().quiet(0.4).then(everything), status="PENDING") as agent:
        assert tail(agent.url, timeout=0.3).whole() == LINES
        assert len(agent.streams) == 1


@row(43)
def test_attached_before_the_start_to_an_agent_that_ends_the_stream_meanwhile(tail: Tailer) -> None:
    with Agent(plays.connected().end(), plays.connected().end(), everything, status="PENDING") as agent:
        assert tail(agent.url).whole() == LINES


def test_a_drop_before_the_first_byte(tail: Tailer) -> None:
    def close_unread(peer: Peer) -> None:
        peer.sock.shutdown(socket.SHUT_RDWR)

    with Agent(close_unread, everything) as agent:
        assert tail(agent.url).whole() == LINES
