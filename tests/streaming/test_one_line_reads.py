"""A read that brings one line may be taken without a step of the tail; nobody can tell which it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from synapse_sdk._connection import Connection
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.streaming._tail import Close, Command, Open, Opened, Read, Tail
from synapse_sdk.utils.network import StreamLimits

Kind = Literal["websocket", "http"]

LIMITS = st.builds(
    StreamLimits,
    max_lines=st.sampled_from([None, None, 3]),
    max_messages=st.sampled_from([None, None, 3]),
    max_bytes=st.sampled_from([None, None, 4, 6]),
    max_message_size=st.sampled_from([3, 8, 1_000]),
    on_oversize=st.sampled_from(["truncate", "skip", "error"]),
)
TEXTS = st.one_of(
    st.text(alphabet='ab\ré"\\', max_size=4),
    st.text(alphabet="a\n", max_size=4),
    st.text(alphabet="ab \n\ré🚀\t\x00\ufffd\ud800", max_size=6),
    st.sampled_from(["x" * 130, "\r", "", None, 7, [1]]),
)
# What is wrong with an event's place in the log, nothing most of the time: it ends the tail.
PLACES = st.sampled_from([*["right"] * 12, "null", "wrong", "text"])
EVENTS = st.tuples(TEXTS, PLACES)
READS = st.sampled_from(["whole", "whole", "whole", "two in one", "cut", "odd", "commented"])
STRANGE = st.sampled_from(
    [
        {"type": "heartbeat", "message": "beat"},
        {"type": "connected"},
        {"message": "no type"},
        {"type": ["log"], "message": "x"},
        {"type": "error", "message": "no more"},
        {"type": "complete", "status": "SUCCEEDED"},
        "bare text",
        '{"message": "one"} {"message": "two"}',
        "",
    ]
)


def framed(kind: Kind, message: str, *, ids: bool) -> bytes:
    payload = message.encode(errors="replace")
    if kind == "websocket":
        return Frame(Opcode.TEXT, payload).serialize(mask=False)
    return (b"id: 5\n" if ids else b"") + b"data: " + payload + b"\n\n"


def odd(kind: Kind, data: bytes) -> bytes:
    """The same in a form that few send."""
    if kind == "websocket":
        return Frame(Opcode.PING, b"").serialize(mask=False) + data
    return data.replace(b"data: ", b"data:").replace(b"\r\n", b";x=y\r\n", 1)


def commented(kind: Kind, data: bytes) -> bytes:
    """The same behind what has no meaning to anyone."""
    if kind == "websocket":
        return Frame(Opcode.PONG, b"").serialize(mask=False) + data
    return b": a comment\n" + data.partition(b"\r\n")[2].removesuffix(b"\r\n")


def outcome(kind: Kind, reads: Sequence[bytes], limits: StreamLimits, *, at_once: bool) -> list[Any]:
    """Run a tail over one connection; tell what there is to see after each read, and how it ended."""
    tail = Tail(
        "job",
        protocol=kind,
        timeout=10.0,
        limits=limits,
        connection=Connection("http://agent", "a-token", max_retries=0),
    )
    steps = tail.run()
    seen: list[Any] = []
    waiting = iter(reads)
    result: Any = None
    try:
        while True:
            if not (at_once and type(result) is bytes and tail.take(result)):
                command = steps.send(result)
            log = tail.log
            seen.append(
                (
                    list(log.lines),
                    log.position,
                    log.offset,
                    log.delivered_lines,
                    log.delivered_bytes,
                    log.truncated_lines,
                    log.messages,
                    log.undecided,
                )
            )
            if len(seen) % 3:
                log.lines.clear()
            result = answer(kind, command)
            if isinstance(command, Read):
                # A read that times out settles what is undecided; the end, which is not known, ends it all.
                result = next(waiting, None) if not log.undecided else None
                if result is None and not log.undecided:
                    return seen
            elif isinstance(command, Open) and command.kind == "answer":
                return [*seen, "the connection is over"]
    except StopIteration:
        return [*seen, "whole", tail.job_status]
    except ClientError as error:
        return [*seen, str(error)]


def answer(kind: Kind, command: Command) -> Any:
    if isinstance(command, Open) and kind == "websocket":
        key = accept_key(command.headers["Sec-WebSocket-Key"]) if command.kind == "websocket" else ""
        return Opened(101, {"upgrade": "websocket", "sec-websocket-accept": key})
    if isinstance(command, Open):
        headers = {"content-type": "text/event-stream"}
        return Opened(200, headers)
    assert isinstance(command, (Close, Read)) or command.__class__.__name__ == "Write"
    return None


@settings(deadline=None, max_examples=300)  # the machine may be busy
@given(
    st.sampled_from(["websocket", "http"]),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(st.one_of(*[EVENTS] * 6, STRANGE), READS), max_size=12),
    LIMITS,
)
# What chance alone would seldom come upon.
@example("websocket", False, True, [(("a", "right"), "whole")] * 5, StreamLimits(max_messages=3))
@example(
    "websocket",
    False,
    True,
    [('{"message": "one"} {"message": "two"}', "whole")] * 2,
    StreamLimits.unlimited(),
)
@example("http", False, True, [(("a", "right"), "commented")] * 2, StreamLimits.unlimited())
def test_a_read_of_one_line_means_the_same_taken_at_once(
    kind: Kind, ids: bool, offsets: bool, sent: list[tuple[Any, str]], limits: StreamLimits
) -> None:
    reads: list[bytes] = []
    offset = 0
    for what, how in sent:
        message = what if isinstance(what, str) else json.dumps(what)
        if isinstance(what, tuple):
            text, place = what
            event: dict[str, Any] = {"type": "log", "message": text}
            if text is not None:
                shown = text if isinstance(text, str) else json.dumps(text)
                offset += len(shown.encode(errors="replace")) + 1
            places = {"right": offset, "null": None, "wrong": offset + 1, "text": str(offset)}
            if offsets or place != "right":
                event["offset"] = places[place]
            message = json.dumps(event)
        data = framed(kind, message, ids=ids)
        if how == "two in one" and reads:
            reads[-1] += data
        elif how == "cut":
            middle = len(data) // 2
            reads += [data[:middle], data[middle:]]
        else:
            forms = {"odd": odd, "commented": commented}
            reads.append(forms[how](kind, data) if how in forms else data)
    assert outcome(kind, reads, limits, at_once=True) == outcome(kind, reads, limits, at_once=False)
