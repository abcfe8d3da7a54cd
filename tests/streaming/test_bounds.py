"""Whatever is sent, memory stays flat and time linear."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from tables import each_row
from websockets.frames import Opcode

from synapse_sdk.clients.exceptions import StreamLimitExceededError, WebSocketError
from synapse_sdk.streaming._lines import TRUNCATION_MARK
from synapse_sdk.utils.network import StreamLimits

from .conftest import Result, Tailer
from .rows import row
from .scripted import Agent, Peer, Script, plays

pytestmark = pytest.mark.slow

MIB = 1 << 20


@contextlib.contextmanager
def memory_below(limit: int) -> Iterator[None]:
    """The block, its agent included, allocates no more than `limit` bytes at any time."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit, f"{peak / MIB:.1f} MiB were held at once"


def takes_linear_time(run: Callable[[int], None], count: int) -> None:
    """Four times as much takes about four times as long, not sixteen: processor time of this thread."""

    def seconds(count: int) -> float:
        started = time.thread_time()
        run(count)
        return time.thread_time() - started

    # What others do on this machine is no part of it, but caches and collections are: the best of three.
    ratios: list[float] = []
    while len(ratios) < 3 and min(ratios, default=99.0) > 8:
        ratios.append(seconds(4 * count) / seconds(count))
    assert min(ratios) < 8, f"four times as much took {min(ratios):.1f} times as long"


# --- one message too big


class Giant:
    """Announces a frame of 1 GiB after a line, and sends of it what the client takes."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, peer: Peer) -> None:
        if not peer.websocket:
            peer.lines("one", "two")
            peer.complete()
            return
        peer.lines("one")
        peer.announce(1 << 30)
        block = b"x" * MIB
        while self.sent < 256 * MIB:
            peer.raw(block)
            self.sent += len(block)


@row(17)
def test_an_announced_giant_is_refused_at_its_header(websocket_tail: Tailer) -> None:
    giant = Giant()
    with memory_below(8 * MIB), Agent(giant) as agent:
        result = websocket_tail(agent.url)
        assert len(agent.streams) == 1
    assert result.lines == ["one"]
    error = result.failed(429)
    assert isinstance(error, StreamLimitExceededError)
    assert str(1 << 30) in str(error).replace(",", "")
    assert str(MIB) in str(error)
    assert giant.sent < 32 * MIB  # what the buffers of the sockets hold


@row(17)
def test_in_auto_a_giant_makes_the_tail_go_on_over_http_from_where_it_stopped(auto_tail: Tailer) -> None:
    with memory_below(8 * MIB), Agent(Giant()) as agent:
        result = auto_tail(agent.url)
        assert agent.offsets == [None, len("one\n")]
    assert result.whole() == ["one", "two"]
    assert result.stream.protocol == "http"


def fragments(count: int) -> Script:
    def script(peer: Peer) -> None:
        if not peer.websocket:
            peer.lines("one", "two")
            peer.complete()
            return
        peer.lines("one")
        peer.frame(Opcode.TEXT, b"x" * 65_536, fin=False)
        for _ in range(count):
            peer.frame(Opcode.CONT, b"x" * 65_536, fin=False)
        peer.wait_for_close()

    return script


@row(17)
def test_fragments_that_add_up_to_a_giant_are_refused(websocket_tail: Tailer) -> None:
    with memory_below(8 * MIB), Agent(fragments(1600)) as agent:
        result = websocket_tail(agent.url)
        assert len(agent.streams) == 1
    assert result.lines == ["one"]
    assert str(MIB) in str(result.failed(429))


@row(17)
def test_in_auto_fragments_that_add_up_to_a_giant(auto_tail: Tailer) -> None:
    with Agent(fragments(40)) as agent:
        result = auto_tail(agent.url)
        assert agent.offsets == [None, len("one\n")]
    assert result.whole() == ["one", "two"]


@row(17)
def test_empty_fragments_without_end(websocket_tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 0)

    def script(peer: Peer) -> None:
        peer.frame(Opcode.TEXT, b"", fin=False)
        for _ in range(4):
            peer.raw(b"\x00\x00" * 3_000)
        peer.fin()

    with memory_below(16 * MIB), Agent(script) as agent:
        websocket_tail(agent.url).failed(503)


@row(17)
def test_the_bound_follows_max_message_size(websocket_tail: Tailer) -> None:
    message = "x" * (2 * MIB)
    with Agent(plays.logs(message).complete()) as agent:
        assert websocket_tail(agent.url, limits=StreamLimits(max_message_size=2 * MIB)).whole() == [message]
        websocket_tail(agent.url).failed(429)


@row(17)
def test_an_oversize_event_over_http_is_cut_as_it_arrives(http_tail: Tailer) -> None:
    giant = plays.chunk(b'data: {"type": "log", "message": "')
    giant = giant.then(lambda peer: [peer.chunk(b"x" * 65_536) for _ in range(400)]).chunk(b'"}\n\n')
    script = plays.logs("before").then(giant).logs("after").complete()
    with memory_below(8 * MIB), Agent(script) as agent:
        lines = http_tail(agent.url).whole()
    assert [line[:10] for line in lines] == ["before", "x" * 10, "after"]
    assert len(lines[1]) < 11_000


@row(17)
@each_row("before", ["", "x", "xx"])
def test_an_oversize_event_is_cut_at_a_character_however_that_is_spelled(
    http_tail: Tailer, before: str
) -> None:
    message = before + "é" * (MIB // 4)  # six bytes each, so the bound is at another one each time
    with Agent(plays.logs(message).complete()) as agent:
        (line,) = http_tail(agent.url).whole()
    shown = line.removesuffix(TRUNCATION_MARK)
    assert message.startswith(shown)
    assert 10_238 < len(shown.encode()) <= 10_240


@row(17)
def test_an_oversize_event_that_is_no_json_is_a_line_as_it_is(http_tail: Tailer) -> None:
    event = b'data: {"type": "log", "message": "\\q' + b"x" * MIB + b'"}\n\n'
    with Agent(plays.chunk(event).complete()) as agent:
        (line,) = http_tail(agent.url).whole()
    assert line.startswith('{"type": "log", "message": "\\qxxx')
    assert line.endswith(TRUNCATION_MARK)


@row(17)
def test_an_oversize_line_at_the_end_of_plain_text(http_tail: Tailer) -> None:
    script = plays.accept("text/plain").chunk(b"one\n" + b"x" * (MIB + 1)).end()
    with Agent(script, status="SUCCEEDED") as agent:
        assert http_tail(agent.url).whole() == ["one", "x" * 10_240 + TRUNCATION_MARK]


# --- compression


@row(18)
def test_a_bomb_of_deflated_frames(websocket_tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 1)
    deflate = zlib.compressobj(wbits=-15)
    bomb = deflate.compress(b"x" * MIB) + deflate.flush(zlib.Z_SYNC_FLUSH)
    frame = b"\xc1\x7e" + len(bomb).to_bytes(2, "big") + bomb  # RSV1: compressed

    with memory_below(8 * MIB), Agent(plays.accept().raw(frame * 60).wait_for_close()) as agent:
        error = websocket_tail(agent.url).failed(503)
        assert all("sec-websocket-extensions" not in request.headers for request in agent.streams)
    assert isinstance(error, WebSocketError)


@row(18)
def test_compression_that_was_not_asked_for(websocket_tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.headers_sent = True
        from websockets.utils import accept_key

        key = accept_key(peer.request.headers["sec-websocket-key"])
        peer.raw(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-accept: " + key.encode() + b"\r\n"
            b"sec-websocket-extensions: permessage-deflate\r\n\r\n"
        )
        peer.wait_for_close()

    with Agent(script) as agent:
        websocket_tail(agent.url, max_retries=0).failed(503)


@row(18)
def test_a_bomb_of_gzip_over_http(http_tail: Tailer) -> None:
    bomb = gzip.compress(b"x" * (60 * MIB))
    script = plays.accept(content_encoding="gzip").chunk(bomb).end()
    with memory_below(8 * MIB), Agent(script) as agent:
        error = http_tail(agent.url).failed(503)
        assert agent.streams[0].headers["accept-encoding"] == "identity"
    assert "gzip" in str(error)


# --- many bytes


def endless_line(size: int) -> Script:
    """A line of `size` bytes in pieces, or in one event where a message may be as long as it likes."""

    def script(peer: Peer) -> None:
        peer.logs("first\n")
        piece = peer.encode({"type": "log", "message": "x" * 65_536})
        for _ in range(size // 65_536):
            peer.raw(piece)
        peer.logs("\nlast\n")
        peer.complete()

    return script


def cut(result: Result) -> None:
    first, middle, last = result.whole()
    assert (first, last) == ("first", "last")
    assert middle == "x" * 10_240 + "…[truncated]"


@row(19)
def test_a_line_that_never_ends_has_flat_memory(tail: Tailer) -> None:
    with memory_below(8 * MIB), Agent(endless_line(100 * MIB)) as agent:
        cut(tail(agent.url))


@row(19)
def test_a_line_that_never_ends_takes_linear_time(tail: Tailer) -> None:
    def run(count: int) -> None:
        with Agent(endless_line(count * MIB)) as agent:
            cut(tail(agent.url))

    takes_linear_time(run, 8)


@row(19)
@each_row("beginning", [b'data: {"type": "log", "message": "', b"data: ", b"", b": "])
def test_a_line_of_a_body_that_never_ends(http_tail: Tailer, beginning: bytes) -> None:
    block = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)

    def script(peer: Peer) -> None:
        peer.logs("first")
        if beginning:
            peer.chunk(beginning)
        for _ in range(400):
            peer.raw(block)
        peer.chunk(b"\n\n")
        peer.logs("last")
        peer.complete()

    with memory_below(8 * MIB), Agent(script) as agent:
        lines = http_tail(agent.url).whole()
    assert (lines[0], lines[-1]) == ("first", "last")
    assert sum(map(len, lines)) < 2 * MIB


@row(19)
def test_an_event_of_many_data_lines_that_never_ends(http_tail: Tailer) -> None:
    line = b"data: {" + b"x" * 1000 + b"\n"
    block = b"%x\r\n%s\r\n" % (len(line) * 64, line * 64)

    def script(peer: Peer) -> None:
        peer.logs("first")
        for _ in range(400):
            peer.raw(block)
        peer.chunk(b"\n")
        peer.logs("last")
        peer.complete()

    with memory_below(8 * MIB), Agent(script) as agent:
        lines = http_tail(agent.url).whole()
    assert (lines[0], lines[-1]) == ("first", "last")


def tiny_messages(count: int) -> Script:
    """Messages of one byte each; every hundredth is a newline."""

    def script(peer: Peer) -> None:
        peer.logs("start\n")
        block = b"".join(peer.encode({"type": "log", "message": byte}) for byte in "x" * 99 + "\n") * 10
        for _ in range(count // 1000):
            peer.raw(block)
        peer.complete()

    return script


@row(20)
@pytest.mark.heavy
def test_a_million_tiny_messages(protocol_of_a_million: Tailer) -> None:
    with Agent(tiny_messages(1_000_000)) as agent:
        lines = protocol_of_a_million(agent.url).whole()
    assert lines == ["start", *["x" * 99] * 10_000]


@pytest.fixture(params=["websocket", "http"])
def protocol_of_a_million(request: pytest.FixtureRequest) -> Tailer:
    return Tailer("sync", request.param)  # the core is the same for all, and a million takes a while


@row(20)
def test_tiny_messages_have_flat_memory(tail: Tailer) -> None:
    with memory_below(8 * MIB), Agent(tiny_messages(20_000)) as agent:
        assert tail(agent.url).stream.lines == 201


@row(20)
@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_tiny_messages_take_linear_time(protocol: Literal["websocket", "http"]) -> None:
    def run(count: int) -> None:
        with Agent(tiny_messages(count)) as agent:
            # What takes them is the same for every backend.
            assert Tailer("sync", protocol)(agent.url).stream.lines == 1 + count // 100

    takes_linear_time(run, 10_000)


@row(20)
def test_a_chunk_of_a_body_for_each_byte(http_tail: Tailer) -> None:
    event = b"data: " + json.dumps({"message": "x" * 80}).encode() + b"\n\n"
    block = b"".join(b"1\r\n%c\r\n" % byte for byte in event) * 20
    script = plays.accept().then(lambda peer: [peer.raw(block) for _ in range(10)]).complete()
    with memory_below(3 * MIB), Agent(script) as agent:
        assert http_tail(agent.url).whole() == ["x" * 80] * 200


# --- endless headers


def endless_headers(peer: Peer) -> None:
    peer.headers_sent = True
    peer.raw(b"HTTP/1.1 200 OK\r\n")
    peer.endlessly(b"x-header: " + b"x" * 1000 + b"\r\n")


def an_endless_header(peer: Peer) -> None:
    peer.headers_sent = True
    peer.raw(b"HTTP/1.1 200 OK\r\nx-header: ")
    peer.endlessly(b"x" * 65_536)


@each_row("script", [endless_headers, an_endless_header], ids=["many", "one"])
def test_endless_headers_are_refused(tail: Tailer, script: Script) -> None:
    with memory_below(8 * MIB), Agent(script) as agent:
        result = tail(agent.url, max_retries=0)
    result.failed(503)
    assert result.own_seconds < 5


@row(34)
def test_headers_that_drip_for_ever_are_given_up_in_time(tail: Tailer) -> None:
    """The timeout bounds the connecting, not each byte of it."""

    def drips(peer: Peer) -> None:
        peer.headers_sent = True
        peer.raw(b"HTTP/1.1 200 OK\r\nx-header: ")
        for _ in range(80):
            peer.pause(0.05)
            peer.raw(b"x")

    with Agent(drips) as agent:
        result = tail(agent.url, timeout=0.4, max_retries=0)
    assert result.own_seconds < 2
    result.failed(408)


def test_an_endless_chunk_header_is_refused(http_tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._MAX_ATTEMPTS", 0)
    with memory_below(8 * MIB), Agent(plays.accept().endlessly(b"0" * 65_536)) as agent:
        http_tail(agent.url).failed(503)


@row(37)
def test_an_endless_answer_that_is_no_stream(tail: Tailer) -> None:
    def endless_page(peer: Peer) -> None:
        peer.headers_sent = True
        peer.raw(b"HTTP/1.1 403 X\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n")
        peer.endlessly(b"%x\r\n%s\r\n" % (65_536, b"<p>no" + b" " * 65_531))

    with memory_below(8 * MIB), Agent(endless_page) as agent:
        assert len(str(tail(agent.url).failed(403))) < 1000
