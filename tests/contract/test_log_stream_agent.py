"""Agent → log-stream.yaml: what an agent sends of a log, over either channel, is what the document has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running_agent import RunningAgent
from tables import each_row
from websockets.exceptions import InvalidStatus
from websockets.frames import Opcode
from websockets.sync.client import connect

from synapse_agent.context import AgentContext
from synapse_agent.errors import ApiError
from synapse_agent.logs.events import sse, sse_lines, websocket_lines
from synapse_agent.logs.lines import Message
from synapse_agent.logs.streams import send_stream
from synapse_agent.logs.tail import Tail
from synapse_agent.routes import ROUTES, STREAM_ROUTES

from .agent_spec import OPERATIONS
from .generated_values import generated
from .log_stream_spec import CHANNELS, EVENTS, check_event

Event = dict[str, Any]

WEBSOCKET, HTTP = CHANNELS["jobLogsWebSocket"]["address"], CHANNELS["jobLogsHttp"]["address"]


def sse_events(body: bytes) -> Iterator[Event]:
    """The events of a body, framed to the letter: an `id:` line for an offset, and the `data:` line."""
    *events, rest = body.split(b"\n\n")
    assert rest == b""
    for event in events:
        *ids, data = event.decode("ascii").split("\n")
        assert data.startswith("data: ")
        found = json.loads(data.removeprefix("data: "))
        assert ids == ([f"id: {found['offset']}"] if "offset" in found else [])
        yield found


def websocket_events(frames: bytes) -> Iterator[Event]:
    """The events of frames, each a whole unmasked text frame."""
    while frames:
        assert frames[0] == 0x80 | Opcode.TEXT
        size, start = frames[1], 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(frames[2 : 2 + width]), 2 + width
        yield json.loads(frames[start : start + size])
        frames = frames[start + size :]


# -- where


def test_the_agent_has_both_channels() -> None:
    assert HTTP.removeprefix("/") in {route.path.removeprefix("/") for route in STREAM_ROUTES}
    # The other one is an upgrade of an operation that OpenAPI has.
    (operation,) = [item for item in OPERATIONS if item.path.removeprefix("/") == WEBSOCKET]
    assert operation.id in {route.operation for route in ROUTES if route.path == operation.path}


# -- what the encoders write


@generated
@given(
    messages=st.lists(
        st.tuples(st.text() | st.text(st.characters(max_codepoint=127), min_size=100), st.integers(0, 2**53))
    )
)
def test_every_log_line_is_framed_as_a_log_event(messages: list[Message]) -> None:
    expected = [{"type": "log", "message": text, "offset": offset} for text, offset in messages]
    assert list(websocket_events(websocket_lines(messages))) == expected
    assert list(sse_events(sse_lines(messages))) == expected
    for event in expected:
        check_event(event)


@each_row("kind", EVENTS)
def test_every_documented_event_can_be_framed(kind: str) -> None:
    for example in EVENTS[kind].examples:
        (event,) = [json.loads(sse(example).removeprefix(b"data: "))]
        assert event == example
        assert sse(example).isascii()


# -- what a tail sends, whatever happens


class Sink:
    """Keeps what is sent."""

    is_closed = False

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def lines(self, messages: list[Message], time: float | None) -> None:
        self.events += websocket_events(websocket_lines(messages, time=time))

    async def event(self, event: Event) -> None:
        self.events.append(json.loads(json.dumps(event)))

    async def heartbeat(self) -> None:
        await self.event({"type": "heartbeat"})


def pumped(*blocks: bytes | Exception | None) -> list[Event]:
    """What is sent for a log that comes in these blocks: b"" for a while without any, None for its end."""

    async def read() -> AsyncIterator[bytes | None]:
        for block in blocks:
            if isinstance(block, Exception):
                raise block
            yield block

    async def pump() -> list[Event]:
        context = SimpleNamespace(stopping=asyncio.Event(), heartbeat=0.0)

        async def begin() -> int:
            return 0

        tail = SimpleNamespace(
            begin=begin, next=read().__anext__, status="SUCCEEDED", arrived=lambda offset: None
        )
        sink = Sink()
        await send_stream(cast("AgentContext", context), cast("Tail", tail), sink)
        return sink.events

    return asyncio.run(pump())


def kinds(events: list[Event]) -> list[str]:
    return [check_event(event).name for event in events]


def test_a_tail_that_goes_well() -> None:
    events = pumped(b"one\ntwo\nth", b"", b"ree\n", None)
    assert [kind for kind in kinds(events) if kind != "Heartbeat"] == [
        "Connected",
        "Log",
        "Log",
        "Log",
        "Complete",
    ]
    assert events[-1]["status"] == "SUCCEEDED"


def test_a_quiet_tail_shows_that_it_lives() -> None:
    assert kinds(pumped(b"", b"", None)) == ["Connected", "Heartbeat", "Heartbeat", "Complete"]


@pytest.mark.parametrize(
    ("failure", "status"), [(ApiError(503, "Ray is unreachable"), 503), (OSError("disk"), 500)]
)
def test_a_tail_that_fails_says_so_last(
    failure: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    events = pumped(b"one\n", failure)
    assert kinds(events)[-2:] == ["Log", "Error"] or kinds(events)[-1] == "Error"
    assert events[-1]["status_code"] == status


# -- what an agent sends, the real and the fake


def over_websocket(agent: RunningAgent, job_id: str, offset: int = 0) -> list[Event]:
    url = f"{agent.ws_url}/{WEBSOCKET.format(job_id=job_id)}" + (f"?offset={offset}" if offset else "")
    with connect(url, additional_headers=agent.headers, compression=None) as ws:
        return [json.loads(message) for message in ws]


def over_http(agent: RunningAgent, job_id: str, offset: int = 0) -> list[Event]:
    headers = {"Last-Event-ID": str(offset)} if offset else {}
    response = agent.http.get(HTTP.format(job_id=job_id), headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return list(sse_events(response.content))


BOTH = pytest.mark.parametrize("read", [over_websocket, over_http])
Read = Callable[..., list[Event]]


@BOTH
def test_a_real_log_comes_in_documented_events(
    agent: RunningAgent, world: dict[str, Any], read: Read
) -> None:
    events = read(agent, world["job_id"])
    assert kinds(events)[0] == "Connected"
    assert set(kinds(events)[1:-1]) == {"Log"}
    assert events[-1] == {"type": "complete", "status": "SUCCEEDED"}
    log = agent.http.get(f"jobs/{world['job_id']}/logs/").json()
    assert "".join(f"{event['message']}\n" for event in events[1:-1]) == log
    assert [event["offset"] for event in events[1:-1]][-1] == len(log.encode())


@BOTH
def test_it_goes_on_from_where_it_is_asked_to(agent: RunningAgent, world: dict[str, Any], read: Read) -> None:
    first, *others = [event for event in read(agent, world["job_id"]) if event["type"] == "log"]
    resumed = read(agent, world["job_id"], first["offset"])
    assert [event for event in resumed if event["type"] == "log"] == others


@each_row(
    ("job_id", "token", "query", "status"),
    [
        ("no.id", None, "", 400),
        ("none", None, "", 404),
        ("none", "wrong", "", 401),
        (None, None, "?offset=-1", 400),
    ],
)
def test_refusals_are_http_answers(
    agent: RunningAgent, world: dict[str, Any], job_id: str | None, token: str | None, query: str, status: int
) -> None:
    job_id, headers = job_id or world["job_id"], {"Authorization": token or agent.token}
    response = httpx.get(f"{agent.url}/{HTTP.format(job_id=job_id)}{query}", headers=headers)
    assert (response.status_code, list(response.json())) == (status, ["detail"])
    with pytest.raises(InvalidStatus) as caught:
        connect(f"{agent.ws_url}/{WEBSOCKET.format(job_id=job_id)}{query}", additional_headers=headers)
    assert caught.value.response.status_code == status
    assert list(json.loads(caught.value.response.body or b"")) == ["detail"]
