"""Client → log-stream.yaml: what the core makes of every documented message, and how a tail asks for them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.streaming._messages import Batch, Complete, Connected, Event, Failed, Text, decode
from synapse_sdk.streaming._sse import EventSource

from ..streaming.scripted import Agent, Peer, Request
from .generated_values import answers, generated
from .log_stream_spec import CHANNELS, EVENTS, MESSAGES, RAW, Message
from .recorded_calls import TOKEN

each_event = each_row("message", EVENTS.values(), ids=EVENTS)


def meaning(event: dict[str, Any]) -> list[Event]:
    """What an event means, in the words of the document."""
    match event.get("type", "log"):
        case "connected":
            return [Connected(event.get("offset"))]
        case "heartbeat":
            return []
        case "complete":
            return [Complete(event.get("status"))]
        case "error":
            code = event.get("status_code")
            # A status that can't say an error says nothing.
            known = code if code is not None and 400 <= code <= 599 else None
            return [Failed(event["message"] or "the agent gave no reason", known)]
        case _:
            if "message" not in event:
                return []
            return [Text(event["message"], event.get("offset"), time=event.get("time"))]


def read(*texts: str) -> list[Event]:
    """What the core makes of messages, one by one."""
    return decode(Batch(None, texts))


def read_http(events: list[dict[str, Any]], *, cut: int) -> list[Event]:
    """What the core makes of events as HTTP carries them, in reads of `cut` bytes."""
    body = bytearray()
    for event in events:
        body += f"id: {event['offset']}\n".encode() if "offset" in event else b""
        body += f"data: {json.dumps(event)}\n\n".encode()
    source = EventSource(max_size=2**20)
    reads = [bytes(body[start : start + cut]) for start in range(0, len(body), cut)]
    batches = [batch for data in reads for batch in source.receive(data)]
    return [event for batch in [*batches, *source.end(cut=False)] for event in decode(batch)]


# -- what messages mean


def test_the_schemas_are_schemas_and_the_examples_are_valid() -> None:
    for message in MESSAGES.values():
        type(message).validate(message, message.examples[0])
        for example in message.examples:
            message.validate(example)


@each_event
def test_a_documented_example_means_what_it_says(message: Message) -> None:
    for example in message.examples:
        assert read(json.dumps(example)) == meaning(example)


@each_event
@generated
@given(data=st.data())
def test_any_event_that_the_schema_allows_means_what_it_says(message: Message, data: st.DataObject) -> None:
    event = data.draw(answers(message.schema), label="event")
    message.validate(event)
    assert read(json.dumps(event)) == meaning(event)


@generated
@given(data=st.data(), cut=st.integers(1, 200))
def test_many_at_once_mean_the_same_as_one_by_one(data: st.DataObject, cut: int) -> None:
    one = st.one_of([answers(message.schema) for message in EVENTS.values()])
    events = data.draw(st.lists(one, max_size=10), label="events")
    expected = [item for event in events for item in meaning(event)]
    assert read(*(json.dumps(event) for event in events)) == expected
    assert decode(Batch(events)) == expected
    assert read_http(events, cut=cut) == expected


@generated
@given(kind=st.text().filter(lambda kind: kind not in EVENTS), text=st.none() | st.text())
def test_a_type_that_is_added_later_is_text_if_it_has_a_message(kind: str, text: str | None) -> None:
    event = {"type": kind} if text is None else {"type": kind, "message": text}
    assert read(json.dumps(event)) == meaning(event)


@generated
@given(text=st.text())
def test_what_is_no_json_is_a_line_by_itself(text: str) -> None:
    MESSAGES["BareText"].validate(text)
    bare = f"{text}!"
    assert read(bare) == [Text(bare, whole=True)]


# -- how a tail reads, and asks

METHODS = pytest.mark.parametrize(
    ("method", "channel"),
    [("websocket_tail_job_logs", "jobLogsWebSocket"), ("stream_tail_job_logs", "jobLogsHttp")],
)


@METHODS
@generated
@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n")), max_size=5),
    others=st.lists(answers(EVENTS["connected"].schema) | answers(EVENTS["heartbeat"].schema), max_size=3),
    offsets=st.booleans(),
)
def test_a_log_in_documented_events_comes_out_as_its_lines(
    method: str, channel: str, lines: list[str], others: list[dict[str, Any]], offsets: bool
) -> None:
    def sends(peer: Peer) -> None:
        offset = 0
        for line in lines:
            for event in others:
                peer.event(event)
            offset += len(line.encode()) + 1
            peer.log(line, offset if offsets else None)
        peer.complete()

    with Agent(sends) as agent, AgentClient(agent.url, TOKEN) as client:
        stream = getattr(client, method)("train-42")
        assert list(stream) == lines
        assert stream.job_status == "SUCCEEDED"


@METHODS
def test_a_tail_asks_at_the_documented_address_and_resumes_as_documented(method: str, channel: str) -> None:
    requests: list[Request] = []

    def breaks(peer: Peer) -> None:
        requests.append(peer.request)
        peer.event({"type": "connected"})
        peer.log("one", 4)
        peer.fin()

    def goes_on(peer: Peer) -> None:
        requests.append(peer.request)
        peer.log("two", 8)
        peer.complete()

    with (
        Agent(breaks, goes_on) as agent,
        AgentClient(agent.url, TOKEN, user_token="user", tenant="acme") as client,
    ):
        assert list(getattr(client, method)("train-42")) == ["one", "two"]
    schemes = {name: item["name"].lower() for name, item in RAW["components"]["securitySchemes"].items()}
    for request in requests:
        assert (request.method, request.path) == (
            "GET",
            f"/{CHANNELS[channel]['address']}".format(job_id="train-42"),
        )
        assert request.headers[schemes["agentToken"]] == TOKEN
        assert request.headers[schemes["userToken"]] == "Token user"
        assert request.headers[schemes["tenant"]] == "Token acme"
    first, second = requests
    assert (first.query, first.headers.get("last-event-id")) == ({}, None)
    if channel == "jobLogsWebSocket":
        assert "offset" in CHANNELS[channel]["bindings"]["ws"]["query"]["properties"]
        assert second.query == {"offset": ["4"]}
    else:
        assert (second.query, second.headers["last-event-id"]) == ({}, "4")
