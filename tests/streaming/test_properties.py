"""What holds for any log, however it is sent and however often the connection breaks; and for any garbage."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, chain, cycle, repeat
from typing import Any, Literal, get_args

import pytest
from chaos.logs import KINDS, Kind, complete, encode, lines_of, messages
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from synapse_sdk.clients.exceptions import ClientError, StreamError, StreamLimitExceededError
from synapse_sdk.streaming._commands import Open, Opened
from synapse_sdk.streaming._messages import Batch, Event, Text, decode
from synapse_sdk.streaming._sse import EventSource
from synapse_sdk.streaming._websocket import WebSocket
from synapse_sdk.utils.network import StreamLimits

from .in_memory import Answer, End, Framing, run_tail, split

# The suite tries the same examples every time, as many as take half a minute; `make soak` others, and more.
# None has a deadline, since the machine may be busy, and to explain a failure takes longer than to read it.
_SOAK = int(os.environ.get("SOAK_EXAMPLES", "0"))
_PHASES = [phase for phase in Phase if phase is not Phase.explain]
quick, thorough = (
    settings(
        max_examples=_SOAK or examples,
        derandomize=not _SOAK,
        deadline=None,
        phases=_PHASES,
        suppress_health_check=[HealthCheck.too_slow],
    )
    for examples in (30, 60)
)

# --- any log, any chunking, any cut

CHARACTERS = st.one_of(
    st.sampled_from("aab \t\r\u2028\u0085\x0b\x0c\x1cé🚀\ufffd{}[]:\"'\\,\x00\x1b"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\n"),
)
LINES = st.text(CHARACTERS, max_size=12)
# What ends a connection before its stream does. The rest of the log takes at least one more connection.
ENDS: st.SearchStrategy[End] = st.sampled_from(get_args(End))
BREAKS: st.SearchStrategy[End] = st.sampled_from(["fin", "reset"])
FRAMINGS: st.SearchStrategy[Framing] = st.sampled_from(get_args(Framing))


@dataclass(frozen=True)
class Drop:
    """One connection that does not live to see the end of the log."""

    position: int
    """After how many bytes, modulo those that there are."""
    end: End
    read: tuple[int, ...]
    """The sizes that reads have, over and over."""
    cuts: tuple[int, ...]
    """Where the agent cuts text, if it sends pieces."""


def drops(end: st.SearchStrategy[End] = ENDS) -> st.SearchStrategy[Drop]:
    return st.builds(
        Drop,
        position=st.integers(0, 2_000),
        end=end,
        read=st.lists(st.integers(1, 80), min_size=1, max_size=3).map(tuple),
        cuts=st.lists(st.integers(1, 200), max_size=10).map(tuple),
    )


@st.composite
def logs(draw: st.DrawFn, kind: Kind) -> str:
    lines = LINES
    if kind == "bare":
        # Over a WebSocket such text is an event, so no agent could send it as bare text.
        lines = lines.filter(lambda line: not line.startswith("data:") and not _is_object(line))
    log = "\n".join(draw(st.lists(lines, max_size=8)))
    return log + "\n" if log and draw(st.booleans()) else log


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@dataclass
class Agent:
    """Sends a log as its kind does; the connections that are to drop do, and the next one gets through.

    The tail is owed the whole log only where it can't know better: a connection that ends by the book of its
    transport once the job is over, without anything new, is how agents end a log that say no `complete`. So
    one that is to do that breaks instead.
    """

    kind: Kind
    log: str
    drops: list[Drop]
    completes: bool = True
    finished: bool = False
    framing: Framing = "chunked"
    seen: int = 0

    def status(self) -> str:
        return "SUCCEEDED" if self.finished else "RUNNING"

    def connect(self, command: Open) -> Answer:
        websocket = command.kind == "websocket"
        plain = self.kind == "bare" and not websocket
        answer = Answer(end="closed", framing=self.framing)
        if plain:
            answer.content_type = "text/plain"
        asked = command.params.get("offset", command.headers.get("Last-Event-ID"))
        start = int(asked) if asked else 0
        drop = self.drops.pop(0) if self.drops else None
        sent = messages(self.kind, self.log, start=start, cuts=self.cuts(drop, websocket=websocket))
        if self.completes and not plain:  # a plain log has no events
            sent.append(complete(sent[-1].end if sent else start))
        frames = [encode(message, websocket=websocket, plain=plain) for message in sent]
        if drop is None:
            self.finished = True
            answer.data = b"".join(frames)
            return answer
        ends = list(accumulate(map(len, frames), initial=0))
        position = drop.position % (ends[-1] + 1)
        whole = bisect_right(ends, position) - 1
        reached = sent[whole - 1].end if whole else start
        # An event is whole with its JSON, before the newlines that end it.
        early = 0 if websocket or plain else 2
        taken = bisect_right(ends, position + early) - 1
        answer.reads = drop.read
        answer.end = drop.end
        if self.framing == "until close" and not websocket and drop.end == "fin":
            answer.end = "closed"
        if answer.end == "closed":
            if self.finished and reached <= self.seen:
                answer.end = "reset"
            else:
                position = ends[whole]
        self.seen = max(self.seen, sent[taken - 1].end if taken and answer.end != "closed" else reached)
        answer.data = b"".join(frames)[:position]
        return answer

    def cuts(self, drop: Drop | None, *, websocket: bool) -> tuple[int, ...]:
        """Where to cut pieces, such that there is no doubt that pieces is what they are.

        The first newline tells them from whole lines; text before it waits for it, but not through silence.
        Without any newline, pieces look like whole lines.
        """
        cuts = (1, 3, 4) if drop is None else drop.cuts
        if self.kind != "pieces":
            return cuts
        first = self.log.find("\n")
        if first < 0 or (drop is not None and drop.end == "silent"):
            return tuple(cut for cut in cuts if cut > first >= 0)
        return cuts


PROTOCOLS: list[Literal["websocket", "http"]] = ["websocket", "http"]


@pytest.mark.parametrize("protocol", [*PROTOCOLS, "auto"])
@pytest.mark.parametrize("kind", KINDS)
@thorough
@given(data=st.data())
def test_any_log_however_sent_and_broken_gives_the_same_lines(kind: Kind, protocol: Any, data: Any) -> None:
    log = data.draw(logs(kind), label="log")
    agent = Agent(
        kind,
        log,
        data.draw(st.lists(drops(), max_size=8), label="drops"),
        completes=data.draw(st.booleans(), label="completes"),
        finished=data.draw(st.booleans(), label="finished"),
        framing=data.draw(FRAMINGS if kind != "bare" else st.just("chunked"), label="framing"),
    )
    outcome = run_tail(protocol, agent.connect, agent.status)
    # Pieces without a newline look like a whole line, and the newline after it makes a CR part of its end.
    assert outcome.whole() == lines_of(log, "lines" if "\n" not in log and kind == "pieces" else kind)
    assert outcome.tail.log.buffer.delivered_lines == len(outcome.lines)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
@quick
@given(data=st.data())
def test_a_limit_delivers_its_allowance_however_often_it_breaks(
    kind: Kind, protocol: Literal["websocket", "http"], data: Any
) -> None:
    log = data.draw(logs(kind).filter(lambda log: len(lines_of(log)) > 1), label="log")
    lines = lines_of(log, kind)
    allowed = data.draw(st.integers(1, len(lines)), label="allowed")
    agent = Agent(
        kind,
        log,
        data.draw(st.lists(drops(BREAKS), max_size=4), label="drops"),
    )
    size = sum(len(line.encode()) + 1 for line in log.split("\n")[:allowed])
    limits = StreamLimits(max_messages=None, max_lines=None, max_bytes=size)
    if protocol == "http":
        limits = StreamLimits(max_messages=None, max_lines=allowed, max_bytes=None)
    outcome = run_tail(protocol, agent.connect, agent.status, limits=limits)
    assert outcome.lines == lines[:allowed]
    if allowed < len(lines):
        assert isinstance(outcome.error, StreamLimitExceededError)
        assert outcome.error.status_code == 429
    else:
        assert outcome.error is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["lines", "pieces"])
@quick
@given(data=st.data())
def test_a_replay_that_differs_is_never_a_guess(
    kind: Kind, protocol: Literal["websocket", "http"], data: Any
) -> None:
    """After a drop another log: all that came before stands, and then either the same log or an error."""
    log = data.draw(logs(kind).filter(lambda log: log.count("\n") > 1), label="log")
    other = data.draw(logs(kind), label="other")
    first = Agent(kind, log, [data.draw(drops(BREAKS), label="drop")])
    second = Agent(kind, other, [])
    agents = iter([first, second])
    outcome = run_tail(protocol, lambda command: next(agents).connect(command), second.status)
    if not second.finished:  # nothing was cut off
        assert outcome.whole() == lines_of(log, kind)
    elif outcome.error is None:
        assert outcome.lines == lines_of(other, kind)
    else:
        assert isinstance(outcome.error, StreamError)
        assert outcome.error.status_code == 503
        assert outcome.lines == lines_of(log, kind)[: len(outcome.lines)]


# --- any garbage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["log", "connected", "heartbeat", "complete", "error", "later"]) | JSON,
        "message": JSON | st.sampled_from(["line", "a\nb\n", "\ud800"]),
        "offset": JSON | st.integers(-1, 20),
        "status": JSON | st.sampled_from(["SUCCEEDED", "RUNNING"]),
        "status_code": JSON | st.integers(399, 600),
    },
)
TEXTS = EVENTS.map(json.dumps) | JSON.map(json.dumps) | st.text(max_size=10)
PAYLOADS = TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=20)


def _frame(opcode: int, payload: bytes, fin: bool) -> bytes:
    # By hand, since the library makes no frames that break the rules.
    payload = payload[:125]
    return bytes([opcode | fin << 7, len(payload)]) + payload


FRAMES = st.builds(
    _frame, st.sampled_from([1, 1, 1, 0, 2, 8, 9, 10]) | st.integers(0, 127), PAYLOADS, st.booleans()
)
GIANTS = st.builds(lambda size: b"\x81\x7f" + size.to_bytes(8, "big"), st.integers(0, 2**64 - 1))


WIRE = {
    "websocket": st.lists(FRAMES | FRAMES | GIANTS | st.binary(max_size=12), max_size=5).map(b"".join),
    "http": st.lists(
        PAYLOADS.map(lambda data: b"data: " + data + b"\n\n") | PAYLOADS | st.binary(max_size=12), max_size=6
    ).map(b"".join),
}
HEADS = st.builds(
    Opened,
    status=st.sampled_from([101, 200, 201, 204, 301, 400, 401, 404, 426, 429, 500, 503])
    | st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(
            ["content-type", "upgrade", "sec-websocket-accept", "retry-after", "content-encoding"]
        ),
        st.sampled_from(["text/event-stream", "text/plain", "text/html", "websocket", "gzip", "7", "", "x"]),
    ),
    body=st.binary(max_size=30) | JSON.map(lambda value: json.dumps({"detail": value}).encode()),
    switchable=st.booleans(),
)
STATUSES = (400, 401, 403, 404, 408, 422, 429, 500, 503)
ERRORS = st.sampled_from(STATUSES).map(lambda code: ClientError(code, "why"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@thorough
@given(data=st.data())
def test_garbage_is_lines_or_a_client_error(protocol: Literal["websocket", "http"], data: Any) -> None:
    streams = data.draw(st.lists(WIRE[protocol], min_size=1, max_size=3), label="streams")
    ends = data.draw(st.lists(ENDS, min_size=1, max_size=2), label="ends")
    status = data.draw(st.sampled_from(["RUNNING", "SUCCEEDED", "", None, "later"]) | ERRORS, label="status")
    size = data.draw(st.integers(1, 40), label="size")
    framing = data.draw(FRAMINGS, label="framing")
    content_type = data.draw(st.sampled_from(["text/event-stream", "text/plain", ""]), label="content type")
    answers = [
        Answer(stream, end, (size,), framing, content_type)
        for stream, end in zip(streams, cycle(ends), strict=False)
    ]
    # The last of them over and over, as a broken agent does, but not in silence: a job may be quiet for ever.
    last = Answer(streams[-1], "fin", (size,), framing, content_type)
    endless = chain(answers, repeat(last))
    outcome = run_tail(protocol, lambda _: next(endless), lambda: status, max_retries=2)
    for line in outcome.lines:
        assert "\n" not in line
        line.encode()


@pytest.mark.parametrize("protocol", [*PROTOCOLS, "auto"])
@quick
@given(opened=st.lists(HEADS | ERRORS, min_size=1, max_size=4), status=ERRORS | st.just("RUNNING"))
def test_any_answer_to_the_first_request_is_a_client_error(
    protocol: Any, opened: list[Opened | ClientError], status: Any
) -> None:
    answers = (Answer(opened=head) for head in chain(opened, repeat(opened[-1])))
    outcome = run_tail(protocol, lambda _: next(answers), lambda: status, max_retries=2)
    assert outcome.lines == []
    if outcome.error is not None:
        assert outcome.error.status_code in (
            *(head.status for head in opened if isinstance(head, Opened)),
            *STATUSES,
        )


# --- the parts

# Text that is no object by itself, but might be taken for one between its neighbours.
SHREDS = st.lists(
    st.sampled_from(["{", "}", '"', ",", ":", "[", "]", '"a"', "1", " ", '{"message":"b"}']), max_size=8
)


def events_of(batches: Iterable[Batch]) -> list[Event]:
    return [event for batch in batches for event in decode(batch)]


@thorough
@given(st.lists(TEXTS | SHREDS.map("".join), max_size=6))
def test_frames_mean_the_same_together_and_alone(texts: list[str]) -> None:
    wire = [Frame(Opcode.TEXT, text.encode()).serialize(mask=False) for text in texts]
    together = events_of([WebSocket(max_size=1_000).receive(b"".join(wire))] if wire else [])
    assert together == events_of(WebSocket(max_size=1_000).receive(frame) for frame in wire)


@thorough
@given(
    body=WIRE["http"] | st.lists(TEXTS | SHREDS.map("".join)).map(lambda texts: sse(texts)),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=3).map(tuple),
)
def test_a_body_means_the_same_however_it_is_cut(body: bytes, sizes: tuple[int, ...]) -> None:
    def read(parts: Iterable[bytes]) -> list[Event]:
        source = EventSource(max_size=10_000)
        return events_of(
            [*(batch for part in parts for batch in source.receive(part)), *source.end(cut=False)]
        )

    assert read(split(body, sizes)) == read([body])


def sse(texts: Iterable[str]) -> bytes:
    return b"".join(b"data: %s\n\n" % text.encode("utf-8", "surrogatepass") for text in texts)


@thorough
@given(data=WIRE["websocket"], sizes=st.lists(st.integers(1, 30), min_size=1, max_size=3).map(tuple))
def test_frames_mean_the_same_however_they_are_cut(data: bytes, sizes: tuple[int, ...]) -> None:
    def read(parts: Iterable[bytes]) -> tuple[list[Event], str]:
        websocket = WebSocket(max_size=200)
        found: list[Batch] = []
        for part in [*parts, b""]:
            found.append(websocket.receive(part))
            if websocket.ended:
                break
        return events_of(found), websocket.end

    assert read(split(data, sizes)) == read([data])


@quick
@given(st.lists(st.text(min_size=1, max_size=30), max_size=6), st.integers(1, 7))
def test_text_survives_any_cut_of_its_characters(texts: list[str], size: int) -> None:
    wire = bytearray()
    for text in texts:
        message = json.dumps({"message": text}, ensure_ascii=False).encode()
        for index in range(len(message)):
            opcode = Opcode.CONT if index else Opcode.TEXT
            wire += Frame(opcode, message[index : index + 1], fin=index == len(message) - 1).serialize(
                mask=False
            )
    websocket = WebSocket(max_size=1_000)
    assert events_of(map(websocket.receive, split(bytes(wire), (size,)))) == [Text(text) for text in texts]
