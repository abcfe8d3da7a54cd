"""The WebSocket core, by itself."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from synapse_sdk.streaming._websocket import WebSocket


def test_goodbye_is_said_once() -> None:
    websocket = WebSocket(max_size=100)
    websocket.close()
    assert websocket.output()
    websocket.close()
    assert websocket.output() == b""


def test_no_goodbye_to_a_peer_that_is_gone() -> None:
    websocket = WebSocket(max_size=100)
    assert websocket.receive(b"") == []
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
    assert websocket.receive(b"".join(frame.serialize(mask=False) for frame in frames)) == ["é"]
    assert websocket.output()[0] == 0x80 | Opcode.PONG
