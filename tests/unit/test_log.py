"""The log core: whatever messages a log is cut into, the lines are the same."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk.clients.exceptions import StreamError
from synapse_sdk.streaming._log import Log
from synapse_sdk.streaming._messages import Batch, Event, Text, _text, decode
from synapse_sdk.streaming._sse import EventSource
from synapse_sdk.utils.network import StreamLimits

LIMITS = StreamLimits.unlimited()

texts = st.text(alphabet=st.sampled_from("ab \n\r\t\u2028\x85é🚀"), max_size=60)
cuts = st.lists(st.integers(0, 60), max_size=12)


def lines_of(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    lines = [line.removesuffix("\r") for line in whole]
    return [*lines, rest] if rest else lines


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({cut for cut in cuts if 0 < cut < len(text)})
    return [
        text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True) if start < end
    ]


def drain(log: Log) -> list[str]:
    lines = list(log.lines)
    log.lines.clear()
    return lines


@given(texts, cuts)
def test_pieces_without_offsets(text: str, cuts: list[int]) -> None:
    if "\n" not in text:
        text += "\n"
    log = Log(LIMITS)
    log.connect(websocket=True)
    for piece in pieces_of(text, cuts):
        log.add(piece, None)
    log.finish()
    assert drain(log) == lines_of(text)
    assert log.position == len(text.encode())
    assert log.buffer.delivered_bytes == len(text.encode())


@given(texts, st.lists(st.tuples(cuts, st.integers(0, 12)), min_size=1, max_size=5), st.booleans())
def test_drops_lose_and_repeat_nothing(
    text: str, connections: list[tuple[list[int], int]], offsets: bool
) -> None:
    if "\n" not in text:
        text += "\n"
    log = Log(LIMITS)
    lines: list[str] = []
    data = text.encode()
    for number, (cuts, count) in enumerate([*connections, ([], 100)]):
        log.connect(websocket=number % 2 == 0)
        position = log.offset or 0
        rest = data[position:].decode()
        # An agent without offsets has its first message end in a newline, so that its kind is clear.
        for piece in pieces_of(rest, cuts)[:count]:
            position += len(piece.encode())
            log.add(piece, position if offsets else None)
            lines += drain(log)
    log.finish()
    assert lines + drain(log) == lines_of(text)
    assert log.position == len(data)


@given(st.lists(st.text(alphabet=st.sampled_from("ab\ré🚀"), max_size=10), max_size=10))
def test_whole_lines_with_offsets(lines: list[str]) -> None:
    log = Log(LIMITS)
    log.connect(websocket=False)
    position = 0
    for line in lines:
        position += len(line.encode()) + 1
        log.add(line, position)
    log.finish()
    assert drain(log) == [line.removesuffix("\r") for line in lines]


def test_an_endless_line_is_held_only_as_far_as_its_cut_needs() -> None:
    log = Log(StreamLimits(max_message_size=100, max_bytes=None))
    log.connect(websocket=False)
    log.add("start\n", None)
    for _ in range(10_000):
        log.add("x" * 1000, None)
    log.add("\nend\n", None)
    first, endless, last = drain(log)
    assert (first, last) == ("start", "end")
    assert endless == "x" * 100 + "…[truncated]"
    assert log.position == 6 + 10_000_000 + 5


bodies = st.lists(
    st.sampled_from(
        [
            b'data: {"message": "a\\nb"}\n\n',
            b"data: text\n\n",
            b'data:{"message":"x"}\r\n\r\n',
            b"id: 7\n",
            b": comment\n",
            b"retry: 1\n",
            b"\n",
            'data: {"message": "é🚀"}\n\n'.encode(),
            b'data: {"message":\ndata: "two lines"}\n\n',
        ]
    ),
    max_size=8,
)


def read(body: bytes, cuts: list[int]) -> list[Event]:
    source = EventSource(max_size=1 << 20)
    places = sorted({cut for cut in cuts if cut < len(body)})
    batches: list[Batch] = []
    for start, end in zip([0, *places], [*places, len(body)], strict=True):
        batches += source.receive(body[start:end])
    return [event for batch in [*batches, *source.end(cut=False)] for event in decode(batch)]


@given(bodies, st.lists(st.integers(0, 300), max_size=10))
def test_a_body_gives_the_same_messages_however_it_is_read(parts: list[bytes], cuts: list[int]) -> None:
    body = b"".join(parts)
    assert read(body, cuts) == read(body, []) == read(body, list(range(len(body))))
    assert len(read(body, [])) == sum(part.startswith((b"data", b'data: {"message":\n')) for part in parts)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=8), st.booleans(), st.lists(st.integers(0, 600)))
def test_events_of_one_shape_give_their_messages_however_they_are_read(
    texts: list[str], ids: bool, cuts: list[int]
) -> None:
    body = b"".join(
        (b"id: %d\n" % number if ids else b"")
        + b"data: "
        + json.dumps({"message": text, "offset": number}).encode()
        + b"\n\n"
        for number, text in enumerate(texts)
    )
    assert read(body, cuts) == [Text(_text(text), number) for number, text in enumerate(texts)]


def test_an_event_without_its_blank_line_counts_if_it_is_whole() -> None:
    source = EventSource(max_size=1 << 20)
    assert source.receive(b'data: {"message": "whole"}') == []
    assert [event for batch in source.end(cut=False) for event in decode(batch)] == [Text("whole")]
    source = EventSource(max_size=1 << 20)
    assert source.receive(b'data: {"message": "cu') == []
    assert source.end(cut=False) == []
    assert source.cut


messages = st.one_of(
    st.text(alphabet="ab \n\ré🚀\ud800", max_size=6), st.sampled_from(["x" * 8, "x" * 9, "é" * 5, None, 7])
)
limits = st.builds(
    StreamLimits,
    max_lines=st.sampled_from([None, 1, 5]),
    max_messages=st.sampled_from([None, 1, 5]),
    max_bytes=st.sampled_from([None, 1, 20]),
    max_message_size=st.sampled_from([8, 100]),
    on_oversize=st.sampled_from(["truncate", "skip", "error"]),
)


@given(
    st.lists(st.lists(st.tuples(messages, st.integers(-1, 1)), min_size=1, max_size=6), max_size=4),
    st.booleans(),
    st.booleans(),
    limits,
)
def test_lines_taken_all_at_once_are_those_taken_one_by_one(
    batches: list[list[tuple[object, int]]], offsets: bool, websocket: bool, limits: StreamLimits
) -> None:
    def told(log: Log, batch: list[dict[str, object]], *, at_once: bool) -> object:
        log.buffer.trim()
        try:
            if not (at_once and log.add_events(batch)):
                for event in decode(Batch(batch)):
                    assert isinstance(event, Text)
                    log.add(event.text, event.offset)
        except StreamError as exc:
            return exc.detail
        return (
            list(log.lines),
            log.position,
            log.offset,
            log.buffer.delivered_bytes,
            log.buffer.received_lines,
            log.buffer.truncated_lines,
            log.buffer.messages,
            log.has_ambiguous_text,
        )

    one, other = Log(limits), Log(limits)
    one.connect(websocket=websocket)
    other.connect(websocket=websocket)
    offset = 0
    for batch in batches:
        events: list[dict[str, object]] = []
        for message, wrong in batch:
            events.append({"type": "log", "message": message})
            if offsets and isinstance(message, str):
                offset += len(message.encode(errors="replace")) + 1
                # Most are right.
                events[-1]["offset"] = offset + (wrong if len(batch) == 6 else 0)
        seen = told(one, events, at_once=True)
        assert seen == told(other, events, at_once=False)
        assert list(one.lines) == list(other.lines)
        if isinstance(seen, str):
            break
        for _ in range(len(batch) % 3):
            if one.lines:
                assert one.lines.popleft() == other.lines.popleft()
                assert one.buffer.delivered_bytes == other.buffer.delivered_bytes
        if batch[0][1]:
            one.lines.clear()
            other.lines.clear()


@each_row(
    ("limits", "event", "taken"),
    [
        (StreamLimits(max_bytes=12, max_lines=3, max_message_size=3), {}, True),
        (StreamLimits(max_bytes=11), {}, False),
        (StreamLimits(max_lines=2), {}, False),
        (StreamLimits(max_message_size=2), {}, False),
        (StreamLimits(), {"type": "heartbeat"}, False),
        (StreamLimits(), {"offset": 13}, False),
        (StreamLimits(), {"offset": 12.0}, False),
        (StreamLimits(), {"message": 7}, False),
        (StreamLimits(), {"message": "ab\r"}, False),
        (StreamLimits(), {"message": "é", "offset": 11}, True),
    ],
)
def test_lines_are_taken_at_once_within_their_limits(
    limits: StreamLimits, event: dict[str, object], taken: bool
) -> None:
    log = Log(limits)
    log.connect(websocket=False)
    events: list[dict[str, object]] = [
        {"type": "log", "message": "abc", "offset": offset} for offset in (4, 8, 12)
    ]
    events[2] |= event
    assert log.add_events(events) is taken
    assert list(log.lines) == ([event["message"] for event in events] if taken else [])
