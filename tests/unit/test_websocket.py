"""The WebSocket core, by itself."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from synapse_sdk.streaming._events import Batch, Text, decode
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
    assert decode(batch) == [Text("é", bare=True)]
    assert websocket.output()[0] == 0x80 | Opcode.PONG


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["x" * 125, "x" * 126, "x" * 65_536, "[1", "2]", "1,2", "{}", '{"message": 7}']),
    st.builds(lambda line: json.dumps({"type": "log", "message": line}), st.text(max_size=12)),
)
frames = st.lists(st.tuples(texts, st.sampled_from(["text", "fragments", "ping", "binary"])), max_size=8)


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
            opcode = Opcode.TEXT if kind == "text" else Opcode.BINARY
            data += Frame(opcode, payload).serialize(mask=False)
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


def test_what_follows_text_that_is_no_utf8_is_not_delivered() -> None:
    websocket = WebSocket(max_size=100)
    payloads = [b"one", b"\xff", b"three"]
    batch = websocket.receive(
        b"".join(Frame(Opcode.TEXT, payload).serialize(mask=False) for payload in payloads)
    )
    assert batch.texts == ["one"]
    assert websocket.invalid_utf8


def test_a_frame_above_the_bound_is_refused_at_its_header() -> None:
    websocket = WebSocket(max_size=100)
    assert decode(websocket.receive(b"\x81\x7f" + (1 << 30).to_bytes(8, "big"))) == []
    assert websocket.ended
    assert websocket.too_big is not None
    assert str(1 << 30) in websocket.too_big
