"""A stream has one meaning, however its bytes arrive: in one read, in many, or byte by byte.

There are two ways for a log line: all the lines of a read at once, and one by one. Which is taken depends on
what comes together in a read, so no user may see a difference.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal
from unittest import mock

import pytest
from websockets.frames import Opcode

from synapse_sdk._config import ClientConfig
from synapse_sdk.streaming._tail import Tail
from synapse_sdk.utils.network import StreamLimits

from .in_memory import take_in

pytestmark = pytest.mark.slow

Protocol = Literal["websocket", "http"]

STREAMS = 10_000
"""How many streams of each protocol are tried."""

CONNECTION = ClientConfig("http://agent", "a-token", max_retries=0)
LONG = "ü" * 1_100

# Bare text that is JSON, even an event, only together with its neighbours.
SHREDS = [
    ('{"a":1', '"type":"complete"}', "{}"),
    ('{"type":"log","message":"one"', '"offset":4},{}'),
    ("{}],[{}", '{"a":[{}', "{}]}"),
    ('{"message":"a', 'b"}', '{"message":"c"},{"message":"d"}'),
    ('{"a":[1', "2]}", '{"type":"complete"},{"type":"complete"}'),
    ('{"message":"a"},7,{"message":"b"}', "{}"),
    ('{"message":"a","b":[1', '2]},7,{"message":"c"}'),
    ("[", "]"),
    ('"', '"'),
]
BARE = [
    "plain",
    "",
    " ",
    "\r  10%\r  20%",
    "a\rb",
    "42",
    "null",
    "[1]",
    '{"cut',
    "data",
    "id",
    "dat",
    "key: value",
]
TEXTS = ["", "a", "bc", "ü", "a\rb", "end\r", "\r", "x" * 40, LONG, "\ufffd", "\ud800", "tab\t", "\u2028"]
NO_TEXTS = [None, 7, 1.5, True, [1], {"a": "b"}, ["x" * 1_100]]
SPACES = ["", "", "", " ", "\t", "\r", "\x0b", "\x0c", "\x1f", "\x85", "\xa0", "\u2003", "\u2028", "\ufeff"]
STRANGE: list[dict[str, Any]] = [
    {"type": "heartbeat"},
    {"type": "heartbeat", "message": "beat"},
    {"type": "connected"},
    {"type": ["log"], "message": "x"},
    {"type": "later", "message": "x"},
    {"message": "no type"},
    {},
]
ENDS: list[dict[str, Any]] = [
    {"type": "complete", "status": "SUCCEEDED"},
    {"type": "complete"},
    {"type": "error", "message": "no more", "status_code": 404},
]


class Stream:
    """A random stream: what an agent of one kind may send, and some of what it may not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.position = 0
        # 2.0 and True are no offsets, though they equal what may be due.
        self.offset: Any = self.random.choice([int, int, int, int, None, None, None, float, bool])
        # How many messages come before the first offset; and how likely one is a piece, not a line.
        self.without_offset = self.random.choice([0, 0, 0, 1, 2])
        self.pieces = self.random.choice([0.0, 0.0, 0.0, 0.3, 1.0])
        # A stream is odd in few places, or it would end at once.
        self.oddity = self.random.choice([0.0, 0.03, 0.2])

    def odd(self) -> bool:
        return self.random.random() < self.oddity

    def messages(self) -> Iterator[str]:
        choice = self.random.choice
        for _ in range(self.random.randint(0, 12)):
            if not self.odd():
                yield self.log(choice(TEXTS))
            else:
                kind = self.random.randrange(6)
                if kind == 0:
                    yield from choice(SHREDS)
                elif kind == 1:
                    yield self.spaced(choice(BARE))
                elif kind == 2:
                    yield self.spaced(json.dumps(choice(STRANGE)))
                elif kind == 3:
                    yield json.dumps({"type": "log", "message": choice(NO_TEXTS)})
                elif kind == 4:
                    yield self.log(choice(TEXTS), offset=choice([2.0, True, None, -1, "4", [4], 1 << 70]))
                else:
                    yield json.dumps(choice(ENDS))
        if self.random.random() < 0.5:
            yield json.dumps(ENDS[0])

    def log(self, text: str, **place: Any) -> str:
        piece = self.random.random() < self.pieces
        if piece:
            text += self.random.choice(["", "\n", "\n\n", "\nnext"])
        event: dict[str, Any] = {"type": "log", "message": text}
        self.position += len(text.encode(errors="replace")) + (not piece)
        self.without_offset -= 1
        if self.offset is not None and self.without_offset < 0:
            event["offset"] = self.offset(self.position)
        event |= place
        return self.spaced(json.dumps(event, ensure_ascii="\ud800" in text or self.random.random() < 0.5))

    def spaced(self, text: str) -> str:
        if not self.odd():
            return text
        return self.random.choice(SPACES) + text + self.random.choice(SPACES)

    # --- over a WebSocket

    def frames(self) -> bytes:
        data = bytearray()
        for message in self.messages():
            payload = message.encode()
            if not self.odd():
                data += frame(Opcode.TEXT, payload)
                continue
            kind = self.random.randrange(8)
            if kind == 0:
                data += frame(Opcode.TEXT, payload + b"\xff")
            elif kind == 1:
                data += frame(Opcode.BINARY, payload)
            elif kind == 2:
                data += frame(3, payload)
            elif kind == 3:
                data += frame(Opcode.CLOSE, b"\x03\xf3again")
            elif kind == 4:
                # A close frame inside another frame, which it may fill or not.
                data += frame(Opcode.TEXT, payload)[: -len(payload) // 2] + frame(Opcode.CLOSE, b"\x03\xf3")
            elif kind == 5:
                data += b"\x81\x7f" + (1 << self.random.randrange(64)).to_bytes(8)
            else:
                cut = self.random.randint(0, len(payload))
                data += frame(Opcode.TEXT, payload[:cut], fin=False)
                data += frame(Opcode.PING, b"between") + frame(Opcode.CONT, payload[cut:])
        return bytes(data)

    # --- over HTTP

    def body(self) -> bytes:
        choice = self.random.choice
        data = b"\xef\xbb\xbf" if self.odd() else b""
        ends = choice([[b"\n"], [b"\n"], [b"\r\n"], [b"\r"], [b"\n", b"\r\n", b"\r"]])
        ids = self.random.random() < 0.5
        for message in self.messages():
            lines = [b"id: %d" % self.position] if ids else []
            payload = message.encode()
            if not self.odd():
                lines += [b"data: " + payload, b""]
            else:
                kind = self.random.randrange(8)
                if kind == 0:
                    lines += [b"data:" + payload]
                elif kind == 1:
                    lines += [
                        b": comment",
                        b"",
                        b"retry: 3",
                        b"event: log",
                        b"data: \xff" + payload,
                        b"",
                        b"",
                    ]
                elif kind == 2:
                    cut = self.random.randint(0, len(message))
                    lines += [b"data: " + message[:cut].encode(), b"data: " + message[cut:].encode(), b""]
                elif kind == 3:
                    lines += [b"data: " + payload, b"data: " + payload, b""]
                elif kind == 4:
                    lines += [payload, b"\xf0\x9f", b""]
                elif kind == 5:
                    lines += [b"", b"data: " + payload[:-1]]
                elif kind == 6:
                    lines += [b"", b"\r  10%\r  20%", b"", b"data: " + payload, b""]
                else:
                    lines += [b"data: " + payload, b"", payload]
            data += b"".join(line + choice(ends) for line in lines)
        return data

    # --- how it arrives

    def cut(self, data: bytes) -> list[bytes]:
        size = len(data)
        kind = self.random.randrange(4)
        if kind == 0 and size < 2_000:
            return [data[i : i + 1] for i in range(size)]
        places = sorted(self.random.randint(0, size) for _ in range((1, 3, 10, 40)[kind]))
        cut = [data[i:j] for i, j in zip([0, *places], [*places, size], strict=True)]
        return [part for part in cut if part]  # an empty read is the end

    def limits(self) -> StreamLimits:
        choice = self.random.choice
        return StreamLimits(
            max_lines=choice([None, None, None, 3]),
            max_messages=choice([None, None, None, 3]),
            max_bytes=choice([None, None, None, 4, 30, 2_000]),
            max_message_size=choice([2, 30, 10_000, 10_000]),
            on_oversize=choice(["truncate", "skip", "error"]),
        )


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    # By hand, since the library makes no frames that break the rules.
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2)
    return bytes([opcode | fin << 7]) + length + payload


def outcome(protocol: Protocol, reads: list[bytes], limits: StreamLimits, content_type: str) -> Any:
    """Return all that a user can see of a connection that brings these reads and ends."""
    tail = Tail("job", protocol=protocol, timeout=10.0, limits=limits, config=CONNECTION)
    end = take_in(tail, reads, content_type=content_type)
    log = tail.log
    # Where the next connection goes on; of a tail that failed there is none.
    position = log.offset if end == "connects again" else None
    return (
        list(log.lines),
        end,
        position,
        log.buffer.truncated_lines,
        log.buffer.delivered_bytes,
        log.buffer.received_lines,
    )


@pytest.fixture(autouse=True)
def _stopped_clock() -> Iterator[None]:
    """Text that may be a whole line or a part of one becomes a line after a time."""
    with mock.patch("synapse_sdk.streaming._session.time", mock.Mock(monotonic=lambda: 0.0)):
        yield


@pytest.mark.parametrize(
    ("protocol", "content_type", "bytes_of"),
    [
        ("websocket", "", Stream.frames),
        ("http", "text/event-stream", Stream.body),
        ("http", "text/plain", Stream.body),
    ],
    ids=["websocket", "events", "plain"],
)
def test_any_cut_of_the_bytes_gives_the_same_lines_and_the_same_end(
    protocol: Protocol, content_type: str, bytes_of: Callable[[Stream], bytes]
) -> None:
    for seed in range(STREAMS if content_type != "text/plain" else STREAMS // 10):
        stream = Stream(seed)
        data, limits = bytes_of(stream), stream.limits()
        expected = outcome(protocol, [data] if data else [], limits, content_type)
        cut = stream.cut(data)
        assert outcome(protocol, cut, limits, content_type) == expected, f"seed {seed}: {limits} {cut}"
