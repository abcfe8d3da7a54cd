"""Text arrives as the job wrote it, wherever it is cut on its way."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stopwatch import Stopwatch
from tables import each_row
from websockets.frames import Frame, Opcode

from synapse_sdk.clients.exceptions import WebSocketError

from .conftest import Tailer
from .rows import row
from .scripted import Agent, Peer, Script, plays

EMOJI = "a 🚀 rocket, ein ü, 漢字, e\u0301 and 👩\u200d🚀"


def cuts(data: bytes | str) -> range:
    return range(1, len(data))


def framed_as_it_is(peer: Peer, event: bytes) -> bytes:
    """The bytes of an event whose text is not escaped to ASCII."""
    if peer.websocket:
        return Frame(Opcode.TEXT, event).serialize(mask=False)
    data = b"data: " + event + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


# --- UTF-8


@row(21)
def test_utf8_split_at_every_byte_offset_across_reads(tail: Tailer) -> None:
    """Each connection is one more cut: two writes, which a waiting client reads one by one."""
    event = json.dumps({"type": "log", "message": EMOJI}, ensure_ascii=False).encode()

    def cut_at(offset: int) -> Script:
        def script(peer: Peer) -> None:
            peer.accept()
            framed = framed_as_it_is(peer, event)
            cut = framed.index(event) + offset
            peer.raw(framed[:cut])
            peer.pause(0.005)
            peer.raw(framed[cut:])
            peer.complete()

        return script

    start = event.index("🚀".encode())
    for offset in range(start - 1, start + 6):
        with Agent(cut_at(offset)) as agent:
            assert tail(agent.url).whole() == [EMOJI], f"cut at byte {offset}"


@row(21)
def test_utf8_read_byte_by_byte(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        event = json.dumps({"type": "log", "message": EMOJI}, ensure_ascii=False).encode()
        peer.byte_by_byte(framed_as_it_is(peer, event))
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == [EMOJI]


@row(21)
def test_utf8_split_between_the_fragments_of_a_message(websocket_tail: Tailer) -> None:
    event = json.dumps({"type": "log", "message": EMOJI}, ensure_ascii=False).encode()

    def script(peer: Peer) -> None:
        for cut in cuts(event):
            peer.frame(Opcode.TEXT, event[:cut], fin=False)
            peer.frame(Opcode.CONT, event[cut:])
        peer.complete()

    with Agent(script) as agent:
        assert websocket_tail(agent.url).whole() == [EMOJI] * len(cuts(event))


@row(21)
def test_utf8_split_between_the_chunks_of_a_body(http_tail: Tailer) -> None:
    line = EMOJI.encode() + b"\n"

    def script(peer: Peer) -> None:
        for cut in cuts(line):
            peer.chunk(line[:cut])
            peer.chunk(line[cut:])
        peer.complete()

    with Agent(script) as agent:
        assert http_tail(agent.url).whole() == [EMOJI] * len(cuts(line))


@row(21)
@each_row("offsets", [True, False], ids=["offsets", "no offsets"])
def test_text_split_at_every_character_across_events(tail: Tailer, offsets: bool) -> None:
    text = EMOJI + "\n"

    def script(peer: Peer) -> None:
        position = 0
        for cut in cuts(text):
            for piece in (text[:cut], text[cut:]):
                position += len(piece.encode())
                peer.log(piece, position if offsets else None)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == [EMOJI] * len(cuts(text))


@row(22)
def test_invalid_utf8_over_http_is_replaced(http_tail: Tailer) -> None:
    bare = plays.chunk(b"bare \xff text\n").chunk(b'data: {"message": "an \xfe event"}\n\n')
    with Agent(bare.complete()) as agent:
        assert http_tail(agent.url).whole() == ["bare \ufffd text", "an \ufffd event"]


@row(22)
def test_bytes_that_were_no_utf8_are_counted_as_the_log_has_them(tail: Tailer) -> None:
    log = [b"bad \xff\xfe text", b"good"]
    first = len(log[0]) + 1

    def begins(peer: Peer) -> None:
        peer.log(log[0].decode(errors="replace"), first)
        peer.fin()

    with Agent(begins, plays.log("good", first + 5).complete()) as agent:
        result = tail(agent.url)
        assert agent.offsets == [None, first]
    assert result.whole() == ["bad \ufffd\ufffd text", "good"]
    assert result.stream.bytes == first + 5


BROKEN: dict[str, tuple[bytes, str]] = {
    "invalid UTF-8": (b"\x81\x05bad \xff", "invalid UTF-8"),
    "a binary frame": (b"\x82\x04text", "binary frame"),
    "an opcode there is not": (b"\x83\x00", "invalid opcode"),
    "a close frame inside another frame": (b"\x81\x08text" + b"\x88\x02\x03\xf3", "invalid UTF-8"),
}
broken_frames = each_row(("frame", "why"), BROKEN.values(), ids=list(BROKEN))


@row(22)
@broken_frames
def test_a_broken_frame_is_an_interruption(websocket_tail: Tailer, frame: bytes, why: str) -> None:
    closes: list[bytes] = []

    def breaks(peer: Peer) -> None:
        peer.lines("one")
        peer.raw(frame)
        closes.append(peer.sock.recv(1000))
        peer.wait_for_close()

    with Agent(breaks, plays.lines("one", "two").complete()) as agent:
        result = websocket_tail(agent.url)
        assert agent.offsets == [None, 4]
    assert result.whole() == ["one", "two"]
    assert result.stream.reconnects == 1
    assert closes[0][0] == 0x88  # the client says why


@row(22)
@broken_frames
def test_a_frame_broken_again_at_the_same_place_is_a_typed_error(
    websocket_tail: Tailer, frame: bytes, why: str
) -> None:
    with Agent(plays.lines("one", "two").raw(frame).wait_for_close()) as agent:
        result = websocket_tail(agent.url)
        assert agent.offsets == [None, 8]
    assert result.lines == ["one", "two"]
    error = result.failed(503)
    assert isinstance(error, WebSocketError)
    assert why in str(error)
    assert "at byte 8 of the log" in str(error)


@row(22)
def test_breaks_with_progress_between_them_are_interruptions(websocket_tail: Tailer) -> None:
    def breaks_after(*lines: str) -> Script:
        return plays.lines(*lines).frame(Opcode.TEXT, b"bad \xff").wait_for_close()

    scripts = [
        breaks_after("one"),
        plays.lines("one").fin(),
        breaks_after("one", "two"),
        plays.accept().fin(),
    ]
    with Agent(*scripts, plays.lines("one", "two", "three").complete()) as agent:
        assert websocket_tail(agent.url).whole() == ["one", "two", "three"]
        assert agent.offsets == [None, 4, 4, 8, 8]


@row(22)
def test_a_break_at_the_same_place_of_a_replay(websocket_tail: Tailer) -> None:
    """An agent without offsets replays its log, so the place is reached from the start each time."""
    with Agent(plays.logs("one\n", "two\n").frame(Opcode.TEXT, b"\xff").wait_for_close()) as agent:
        result = websocket_tail(agent.url)
        assert len(agent.streams) == 2
    assert result.lines == ["one", "two"]
    assert "at byte 8 of the log" in str(result.failed(503))


@row(22)
@broken_frames
def test_in_auto_a_frame_broken_again_makes_the_tail_go_on_over_http(
    auto_tail: Tailer, frame: bytes, why: str
) -> None:
    script = plays.lines("one").over(
        websocket=plays.raw(frame).wait_for_close(),
        http=plays.log("bad \ufffd", 10).complete(),
    )
    with Agent(script) as agent:
        assert auto_tail(agent.url).whole() == ["one", "bad \ufffd"]
        assert [request.path.endswith("/stream/") for request in agent.streams] == [False, False, True]


# --- line ends

SEPARATORS = "\u2028\u2029\u0085\x0b\x0c\x1c\x1d\x1e\r"


@row(23)
@each_row("separator", SEPARATORS)
def test_only_lf_and_crlf_end_a_line(tail: Tailer, separator: str) -> None:
    line = f"before{separator}after"
    with Agent(plays.lines(line, line + "\r").complete()) as agent:
        assert tail(agent.url).whole() == [line, line]


@row(23)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.sampled_from(f"ab \t{SEPARATORS}🚀"), max_size=12), min_size=1, max_size=30),
    st.integers(1, 9),
)
def test_any_text_without_line_feeds_is_one_line(tail: Tailer, lines: list[str], size: int) -> None:
    expected = [line.removesuffix("\r") for line in lines]
    with Agent(plays.lines(*lines).complete()) as agent:
        assert tail(agent.url).whole() == expected
    text = "".join(line + "\n" for line in ["first", *lines])
    with Agent(plays.logs(text[:6]).pieces(text[6:], size).complete()) as agent:
        assert tail(agent.url).whole() == ["first", *expected]


@row(23)
def test_separators_in_bare_text(tail: Tailer) -> None:
    lines = [f"before{separator}after" for separator in SEPARATORS]
    script = plays
    for line in lines:
        script = script.text(line)
    with Agent(script.complete()) as agent:
        assert tail(agent.url).whole() == lines


def test_a_newline_at_the_end_of_bare_text_is_the_lines_own(websocket_tail: Tailer) -> None:
    with Agent(plays.text("one\n").text("two").text("\n").complete()) as agent:
        assert websocket_tail(agent.url).whole() == ["one", "two", ""]


@row(24)
@each_row("offsets", [True, False], ids=["offsets", "no offsets"])
def test_crlf_split_at_every_offset_across_events(tail: Tailer, offsets: bool) -> None:
    text = "one\r\n\r\ntwo\r\n"

    def script(peer: Peer) -> None:
        position = 0
        for cut in range(1, len(text)):
            for piece in (text[:cut], text[cut:]):
                position += len(piece)
                peer.log(piece, position if offsets else None)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["one", "", "two"] * (len(text) - 1)


@row(24)
def test_crlf_of_an_event_stream_split_at_every_offset_across_reads(http_tail: Tailer) -> None:
    event = b'data: {"message": "line"}\r\n\r\nbare\r\n'

    def script(peer: Peer) -> None:
        for cut in cuts(event):
            peer.chunk(event[:cut])
            peer.pause(0.002)
            peer.chunk(event[cut:])
        peer.complete()

    with Agent(script) as agent:
        assert http_tail(agent.url).whole() == ["line", "bare"] * len(cuts(event))


@row(25)
@each_row("offsets", [True, False], ids=["offsets", "no offsets"])
def test_the_carriage_returns_of_progress_bars_stay_in_the_line(tail: Tailer, offsets: bool) -> None:
    updates = [f"\r{percent:3}%|{'█' * (percent // 10):<10}| {percent}/100" for percent in range(0, 101, 10)]

    def script(peer: Peer) -> None:
        position = 0
        for piece in ["begin\n", *updates, "\n", "end\n"]:
            position += len(piece.encode())
            peer.log(piece, position if offsets else None)
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["begin", "".join(updates), "end"]


@row(25)
def test_carriage_returns_in_whole_lines_and_in_bare_text(tail: Tailer) -> None:
    bar = "\r  0%\r 50%\r100%"
    with Agent(plays.lines(bar, bar).complete()) as agent:
        assert tail(agent.url).whole() == [bar, bar]
    with Agent(plays.text(bar).text(bar).complete()) as agent:
        assert tail(agent.url).whole() == [bar, bar]


@row(26)
def test_a_last_line_without_a_newline(tail: Tailer) -> None:
    with Agent(plays.log("one\n", 4).log("two", 7).complete()) as agent:
        result = tail(agent.url)
    assert result.whole() == ["one", "two"]
    assert result.stream.bytes == 7
    with Agent(plays.logs("one\ntw", "o").complete()) as agent:
        assert tail(agent.url).whole() == ["one", "two"]
    with Agent(plays.logs("only").complete()) as agent:
        assert tail(agent.url).whole() == ["only"]


@row(26)
def test_a_last_line_without_a_newline_of_an_agent_that_says_no_complete(tail: Tailer) -> None:
    with Agent(plays.log("one\n", 4).log("two", 7).end(), status="SUCCEEDED") as agent:
        assert tail(agent.url).whole() == ["one", "two"]
    with Agent(plays.logs("one\ntwo").end(), status="FAILED") as agent:
        assert tail(agent.url).whole() == ["one", "two"]


# --- what is not interpreted


@row(44)
def test_terminal_escapes_arrive_verbatim(tail: Tailer) -> None:
    lines = [
        "\x1b]52;c;aGVsbG8=\x07",  # OSC 52 writes the clipboard
        "\x1b[2J\x1b[1;1H\x1b[31mred\x1b[0m",
        "\x9b31mC1\x9d0;title\x9c",
        "bell \x07, backspace \x08, NUL \x00, DEL \x7f",
    ]
    # What `synapse jobs logs` makes of them on a terminal is tested in tests/cli.
    with Agent(plays.lines(*lines).complete()) as agent:
        assert tail(agent.url).whole() == lines


# --- the first line, where nothing yet tells whole lines from pieces


def test_a_first_line_cut_into_several_events(tail: Tailer) -> None:
    first = [*"the first"]

    def script(peer: Peer) -> None:
        for piece in first:
            peer.logs(piece)
        peer.logs(" line\nand the se", "cond\n")
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["the first line", "and the second"]


def test_a_first_line_cut_into_events_that_are_read_one_by_one(tail: Tailer) -> None:
    script = plays.logs("the ").pause(0.03).logs("first ").pause(0.03).logs("line\n").complete()
    with Agent(script) as agent:
        assert tail(agent.url).whole() == ["the first line"]


def test_a_first_line_alone_is_delivered_while_the_job_is_quiet(tail: Tailer) -> None:
    script = plays.logs("only line so far").quiet(5, every=1)
    with Agent(script) as agent, tail.reading(agent.url) as reader:
        assert reader.next() == "only line so far"


def test_a_first_line_alone_is_delivered_however_often_the_agent_shows_life(tail: Tailer) -> None:
    def lively(peer: Peer) -> None:
        for _ in range(100):
            peer.pause(0.03)
            peer.heartbeat()

    script = plays.logs("only line so far").then(lively).complete()
    with Agent(script) as agent, tail.reading(agent.url) as reader:
        watch = Stopwatch()
        assert reader.next() == "only line so far"
        assert watch.seconds() < 1.5
