"""The WebSocket core, by itself."""

from __future__ import annotations

import json
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from tables import each_row
from websockets.frames import Frame, Opcode

from synapse_sdk.streaming._messages import Batch, Text, decode
from synapse_sdk.streaming._websocket import WebSocket


def test_goodbye_is_said_once() -> None:
    websocket = WebSocket(max_size=100)
    websocket.close()
    assert websocket.output()
    websocket.close()
    assert websocket.output() == b""


def test_no_goodbye_to_a_peer_that_is_gone() -> None:
    websocket = WebSocket(max_size=100)
    assert decode(websocket.receive(b"")) == []
    websocket.output()
    websocket.close()
    assert websocket.output() == b""
    assert websocket.ended


def test_a_ping_is_answered_and_fragments_are_joined() -> None:
    websocket = WebSocket(max_size=100)
    frames = [
        Frame(Opcode.TEXT, "é".encode()[:1], fin=False),
        Frame(Opcode.PING, b"?"),
        Frame(Opcode.CONT, "é".encode()[1:]),
    ]
    batch = websocket.receive(b"".join(frame.serialize(mask=False) for frame in frames))
    assert decode(batch) == [Text("é", whole=True)]
    assert websocket.output()[0] == 0x80 | Opcode.PONG


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["x" * 125, "x" * 126, "x" * 65_536, "[1", "2]", "1,2", "{}", '{"message": 7}']),
    st.builds(lambda line: json.dumps({"type": "log", "message": line}), st.text(max_size=12)),
)
frames = st.lists(st.tuples(texts, st.sampled_from(["text", "fragments", "ping"])), max_size=8)


@settings(deadline=None)  # the machine may be busy
@given(frames, st.integers(1, 70_000), st.booleans())
def test_however_frames_are_read_the_messages_are_the_same(
    frames: list[tuple[str, str]], size: int, masked: bool
) -> None:
    data = bytearray()
    expected = []
    for text, kind in frames:
        payload = text.encode()
        if kind == "ping":
            data += Frame(Opcode.PING, payload[:125]).serialize(mask=False)
            continue
        if kind == "fragments":
            middle = len(payload) // 2
            data += Frame(Opcode.TEXT, payload[:middle], fin=False).serialize(mask=False)
            data += Frame(Opcode.PING, b"").serialize(mask=False)
            data += Frame(Opcode.CONT, payload[middle:]).serialize(mask=False)
        else:
            data += Frame(Opcode.TEXT, payload).serialize(mask=False)
        expected += decode(Batch(None, [text]))
    websocket = WebSocket(max_size=1 << 20)
    events = []
    for start in range(0, len(data), size):
        events += decode(websocket.receive(bytes(data[start : start + size])))
    assert events == expected
    assert not websocket.ended
    if masked:
        events = decode(websocket.receive(Frame(Opcode.TEXT, b"x").serialize(mask=True)))
        assert (events, websocket.ended) == ([], True)


@each_row(
    ("frame", "why"),
    [(Frame(Opcode.TEXT, b"\xff"), "invalid UTF-8"), (Frame(Opcode.BINARY, b"two"), "a binary frame")],
)
def test_what_follows_a_broken_frame_is_not_delivered(frame: Frame, why: str) -> None:
    websocket = WebSocket(max_size=100)
    frames = [
        Frame(Opcode.TEXT, b"one"),
        frame,
        Frame(Opcode.TEXT, b"three"),
        Frame(Opcode.CLOSE, b"\x03\xe8"),
    ]
    batch = websocket.receive(b"".join(frame.serialize(mask=False) for frame in frames))
    assert decode(batch) == [Text("one", whole=True)]
    assert websocket.ended
    assert not websocket.closed
    assert websocket.broken is not None
    assert why in websocket.broken


def test_a_long_frame_in_small_reads_is_not_copied_at_each() -> None:
    """Each read would copy all that is there, 16 MiB in the end."""
    size = 16 << 20
    data = b"\x81\x7f" + size.to_bytes(8, "big") + b"x" * size
    websocket = WebSocket(max_size=size)
    started = time.process_time()
    batches = [websocket.receive(data[start : start + 1_000]) for start in range(0, len(data), 1_000)]
    assert sum(len(text) for batch in batches for text in batch.texts) == size
    assert time.process_time() - started < 5


@each_row("size", [16 << 20, 1 << 40])
def test_fragments_that_add_up_to_too_much_are_refused_at_a_header(size: int) -> None:
    websocket = WebSocket(max_size=16 << 20)
    websocket.receive(Frame(Opcode.TEXT, b"x" * 100, fin=False).serialize(mask=False))
    websocket.receive(b"\x80\x7f" + size.to_bytes(8, "big"))
    assert websocket.ended
    assert websocket.too_big is not None


def test_a_frame_above_the_bound_is_refused_at_its_header() -> None:
    websocket = WebSocket(max_size=100)
    assert decode(websocket.receive(b"\x81\x7f" + (1 << 30).to_bytes(8, "big"))) == []
    assert websocket.ended
    assert websocket.too_big is not None
    assert str(1 << 30) in websocket.too_big
