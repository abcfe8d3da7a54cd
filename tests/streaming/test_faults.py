"""Ways a stream breaks, made for real on a socket, and what the tail does about each."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib

import pytest
from websockets.frames import Opcode

from synapse_sdk.clients.exceptions import ClientError, ClientTimeoutError, WebSocketError
from synapse_sdk.utils.network import StreamLimits

from .conftest import Tailer
from .scripted import Agent, Peer, Script

LINES = [f"line {n} ✓" for n in range(6)]


def everything(peer: Peer) -> None:
    peer.lines(*LINES)
    peer.complete()


def closes_with(code: int | None) -> Script:
    def script(peer: Peer) -> None:
        peer.lines(*LINES[:3])
        peer.end(code)

    return script


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, None], ids=str)
def test_no_close_code_proves_the_end(websocket_tail: Tailer, code: int | None) -> None:
    with Agent(closes_with(code), everything) as agent:
        result = websocket_tail(agent.url)
    assert result.whole() == LINES
    assert result.stream.reconnects == 1


def test_a_message_cut_by_the_end_of_the_connection_is_discarded(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.lines(*LINES[:3])
        event = peer.encode({"type": "log", "message": LINES[3], "offset": 48})
        peer.raw(event[: len(event) // 2])
        peer.fin()

    with Agent(script, everything) as agent:
        assert tail(agent.url).whole() == LINES


def test_a_body_delimited_by_its_close_ends_in_the_middle_of_an_event(http_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.raw(b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        peer.headers_sent = True
        peer.raw(b'data: {"type": "log", "message": "line 0 \\u2713", "offset": 11}\n\ndata: {"type": "l')
        peer.fin()

    with Agent(script, everything) as agent:
        assert http_tail(agent.url).whole() == LINES


def test_a_peer_that_vanishes_is_noticed_within_the_timeout(tail: Tailer) -> None:
    def vanishes(peer: Peer) -> None:
        peer.lines(*LINES[:3])
        peer.stopped.wait(20)

    with Agent(vanishes, everything) as agent:
        started = time.monotonic()
        result = tail(agent.url, timeout=0.3)
        elapsed = time.monotonic() - started
    assert result.whole() == LINES
    assert 0.25 < elapsed < 3


def test_an_agent_that_stays_silent_ends_in_408(tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_FRUITLESS", 1)

    def vanishes(peer: Peer) -> None:
        if len(agent.streams) == 1:
            peer.lines(*LINES[:3])
        peer.stopped.wait(20)

    with Agent(vanishes) as agent:
        agent.status_answers = [lambda peer: peer.stopped.wait(20)] * 20  # type: ignore[list-item]
        result = tail(agent.url, timeout=0.2, rest_timeout=0.2, max_retries=0)
    assert result.lines == LINES[:3]
    assert isinstance(result.error, ClientTimeoutError)


def test_a_consumer_slower_than_the_peers_keepalive_gets_every_line() -> None:
    from synapse_sdk.clients.agent import AgentClient

    def keepalive(peer: Peer) -> None:
        """Ping every 0.1 s; cut the connection when a pong is 0.2 s late."""
        peer.accept()
        peer.sock.settimeout(0.2)
        for number, line in enumerate(LINES):
            peer.log(line, sum(len(before.encode()) + 1 for before in LINES[: number + 1]))
            peer.frame(Opcode.PING, b"?")
            if not _receives_pong(peer):
                peer.reset()
                return
        peer.complete()

    paused = False
    lines = []
    with Agent(keepalive, everything) as agent, AgentClient(agent.url, "t") as client:
        for line in client.tail_job_logs("job", protocol="websocket"):
            lines.append(line)
            if not paused:
                paused = True
                threading.Event().wait(0.6)
    assert lines == LINES


def _receives_pong(peer: Peer) -> bool:
    try:
        return bool(peer.sock.recv(1000))
    except TimeoutError:
        return False


def test_ctrl_c_with_a_dead_peer_is_out_at_once() -> None:
    def silent(peer: Peer) -> None:
        peer.lines("attached")
        peer.stopped.wait(20)

    program = (
        "import sys\n"
        "from synapse_sdk.clients.agent import AgentClient\n"
        "for line in AgentClient(sys.argv[1], 't').tail_job_logs('job'):\n"
        "    print(line, flush=True)\n"
    )
    with (
        Agent(silent) as agent,
        subprocess.Popen(
            [sys.executable, "-c", program, agent.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "attached\n"
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert time.monotonic() - started < 1
    assert "KeyboardInterrupt" in errors


def test_fragments_that_add_up_to_too_much_are_refused(websocket_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.frame(Opcode.TEXT, b"x" * 500_000, fin=False)
        peer.frame(Opcode.CONT, b"x" * 500_000, fin=False)
        peer.frame(Opcode.CONT, b"x" * 500_000, fin=True)
        peer.wait_for_close()

    with Agent(script) as agent:
        error = websocket_tail(agent.url).error
    assert error is not None
    assert error.status_code == 429


def test_frames_said_to_be_compressed_are_refused(
    websocket_tail: Tailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_FRUITLESS", 1)
    bomb = zlib.compress(b"x" * (1 << 20))

    def script(peer: Peer) -> None:
        peer.accept()
        for _ in range(60):
            peer.raw(b"\xc1\x7e" + struct.pack("!H", len(bomb)) + bomb)
        peer.wait_for_close()

    with Agent(script) as agent:
        error = websocket_tail(agent.url).error
    assert isinstance(error, WebSocketError)


def test_a_hundred_thousand_tiny_messages(tail: Tailer) -> None:
    text = "".join(f"{n}\n" for n in range(10_000))

    def script(peer: Peer) -> None:
        peer.accept()
        peer.raw(peer.encode({"type": "log", "message": "start\n"}))
        peer.raw(b"".join(peer.encode({"type": "log", "message": character}) for character in text))
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url, timeout=30).whole() == ["start", *text.splitlines()]


def test_invalid_utf8_over_http_is_replaced(http_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.chunk(b"bare \xff text\n")
        peer.chunk(b'data: {"message": "an \xfe event"}\n\n')
        peer.complete()

    with Agent(script) as agent:
        assert http_tail(agent.url).whole() == ["bare \ufffd text", "an \ufffd event"]


def test_invalid_utf8_over_a_websocket_is_an_error(websocket_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.lines(*LINES[:1])
        peer.frame(Opcode.TEXT, b"bad \xff")
        peer.wait_for_close()

    with Agent(script) as agent:
        result = websocket_tail(agent.url)
    assert result.lines == LINES[:1]
    assert isinstance(result.error, WebSocketError)
    assert "1007" in str(result.error)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_origin_gets_no_credentials(tail: Tailer, status: int) -> None:
    with Agent(everything) as other:
        with Agent(lambda peer: peer.answer(status, location=other.url + "/jobs/job/logs/")) as agent:
            error = tail(agent.url, user_token="user", tenant="tenant").error
        assert not other.requests
    assert error is not None


@pytest.mark.parametrize(
    "event",
    [
        [],
        42,
        None,
        "text",
        {"type": 7},
        {"message": {"a": 1}},
        {"type": "log"},
        {"message": None},
        {"offset": "x"},
    ],
    ids=str,
)
def test_a_malformed_event_is_text_or_nothing(tail: Tailer, event: object) -> None:
    def script(peer: Peer) -> None:
        peer.log("before\n")
        peer.event(event)
        peer.log("\nafter\n")
        peer.complete()

    with Agent(script) as agent:
        lines = tail(agent.url).whole()
    assert lines[0] == "before"
    assert lines[-1] == "after"


def test_attaching_before_the_start_waits(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.event({"type": "connected"})
        peer.stopped.wait(0.3)
        everything(peer)

    with Agent(script, status="PENDING") as agent:
        assert tail(agent.url).whole() == LINES


def test_an_agent_down_for_long_ends_in_503(tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_FRUITLESS", 3)

    def script(peer: Peer) -> None:
        if len(agent.streams) == 1:
            peer.lines(*LINES[:3])
        peer.reset()

    with Agent(script) as agent:
        agent.status_answers = [lambda peer: peer.reset()] * 100
        result = tail(agent.url, max_retries=0)
        assert len(agent.streams) <= 10
    assert result.error is not None
    assert result.error.status_code == 503
    assert "3 lines" in str(result.error)


def test_the_limit_on_bytes_holds_over_a_reconnect(tail: Tailer) -> None:
    size = len((LINES[0] + "\n").encode())

    def first(peer: Peer) -> None:
        peer.lines(*LINES[:3])
        peer.fin()

    with Agent(first, everything) as agent:
        result = tail(agent.url, limits=StreamLimits(max_bytes=4 * size))
    assert result.lines == LINES[:4]
    assert isinstance(result.error, ClientError)
    assert result.error.status_code == 429
