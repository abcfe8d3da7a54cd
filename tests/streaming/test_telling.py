"""What a stream tells beside its lines: `on_event`, its attributes, and the `synapse_sdk` logger."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from synapse_sdk.clients.exceptions import ClientError, ClientTimeoutError, ValidationError
from synapse_sdk.streaming import StreamEvent

from .conftest import Tailer
from .scripted import Agent, plays

LINES = ["one", "two", "three"]

everything = plays.lines(*LINES).complete()


def told(tail: Tailer, agent: Agent, **options: Any) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    tail(agent.url, on_event=events.append, **options)
    assert all(event.job_id == "job" for event in events)
    return events


def kinds(events: list[StreamEvent]) -> list[str]:
    return [event.kind for event in events]


def test_a_tail_that_goes_well(tail: Tailer) -> None:
    with Agent(everything) as agent:
        connected, ended = told(tail, agent)
    assert (connected.kind, connected.protocol, connected.offset) == ("connected", tail.protocol, 0)
    assert (ended.kind, ended.protocol, ended.error) == ("ended", tail.protocol, None)
    assert ended.offset == len("one\ntwo\nthree\n")
    assert ended.job_status == "SUCCEEDED"


def test_a_tail_that_is_resumed(tail: Tailer) -> None:
    with Agent(plays.lines("one").fin(), everything) as agent:
        events = told(tail, agent)
    assert kinds(events) == ["connected", "reconnecting", "resumed", "ended"]
    _, reconnecting, resumed, _ = events
    assert isinstance(reconnecting.error, ClientError)
    assert reconnecting.delay > 0
    assert reconnecting.offset == resumed.offset == len("one\n")
    assert reconnecting.job_status == "RUNNING"
    assert resumed.error is None


def test_a_tail_that_falls_back(auto_tail: Tailer) -> None:
    with Agent(plays.over(websocket=plays.answer(426), http=everything)) as agent:
        events = told(auto_tail, agent)
    assert kinds(events) == ["fell_back", "connected", "ended"]
    assert events[0].protocol == "http"
    assert events[0].error is not None
    assert "426" in str(events[0].error)


def test_a_tail_that_falls_back_in_the_middle(auto_tail: Tailer) -> None:
    giant = plays.lines("one").announce(1 << 30).wait_for_close()
    with Agent(plays.over(websocket=giant, http=everything)) as agent:
        events = told(auto_tail, agent)
    assert kinds(events) == ["connected", "fell_back", "resumed", "ended"]
    assert events[1].offset == events[2].offset == len("one\n")


def test_a_tail_that_fails(tail: Tailer) -> None:
    with Agent(plays.lines("one").error("broken", 500).wait_for_close()) as agent:
        events = told(tail, agent)
    assert kinds(events) == ["connected", "ended"]
    assert isinstance(events[1].error, ClientError)
    assert "broken" in str(events[1].error)


def test_a_tail_that_never_connects(tail: Tailer) -> None:
    with Agent(plays.hang_up()) as agent:
        events = told(tail, agent, max_retries=2)
    assert kinds(events) == ["reconnecting", "reconnecting", "ended"]
    assert events[-1].error is not None


def test_a_silent_agent(tail: Tailer) -> None:
    with Agent(plays.lines("one").silence(), everything) as agent:
        events = told(tail, agent, timeout=0.2)
    assert "resumed" in kinds(events)
    dropped = next(event for event in events if event.kind == "reconnecting")
    assert isinstance(dropped.error, ClientTimeoutError)


def test_a_stream_that_is_closed_tells_no_more(tail: Tailer) -> None:
    events: list[StreamEvent] = []
    with (
        Agent(plays.lines("one").quiet(5)) as agent,
        tail.reading(agent.url, on_event=events.append) as reader,
    ):
        assert reader.next() == "one"
        reader.close()
    assert kinds(events) == ["connected"]


def test_what_on_event_raises_reaches_the_consumer(tail: Tailer) -> None:
    def on_event(event: StreamEvent) -> None:
        if event.kind == "reconnecting":
            raise ZeroDivisionError

    with (
        Agent(plays.lines("one").fin(), everything) as agent,
        tail.reading(agent.url, on_event=on_event) as reader,
    ):
        assert reader.next() == "one"
        with pytest.raises(ZeroDivisionError):
            reader.next()
        agent.wait_until_gone()


def test_on_event_must_be_callable(tail: Tailer) -> None:
    with pytest.raises(ValidationError, match="on_event") as caught:
        tail("http://127.0.0.1:9", on_event="print")
    assert caught.value.status_code == 400


def test_an_event_says_itself_in_a_sentence(tail: Tailer) -> None:
    with Agent(plays.lines("one").fin(), everything) as agent:
        sentences = [str(event) for event in told(tail, agent)]
    assert all("job" in sentence for sentence in sentences)
    assert tail.protocol in sentences[0]


def test_the_attributes_of_a_stream(tail: Tailer) -> None:
    with Agent(plays.lines("one", "two").fin(), everything) as agent, tail.reading(agent.url) as reader:
        stream = reader.stream
        before = (stream.protocol, stream.job_status, stream.reconnects, stream.lines, stream.bytes)
        assert before == (tail.protocol, None, 0, 0, 0)
        assert reader.next() == "one"
        assert (stream.lines, stream.bytes, stream.reconnects) == (1, 4, 0)
        assert reader.rest() == ["two", "three"]
        after = (stream.lines, stream.bytes, stream.reconnects, stream.job_status, stream.truncated_lines)
        assert after == (3, 14, 1, "SUCCEEDED", 0)


SECRETS = ("agent-secret", "user-secret", "tenant-secret")


def test_no_token_is_told_or_logged(auto_tail: Tailer, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the agent echoes them in everything it says."""
    echo = " ".join(SECRETS)
    events: list[StreamEvent] = []
    scripts = [
        plays.answer(426, echo.encode(), "text/plain"),
        plays.answer(503, echo.encode(), "text/plain"),
        plays.lines("one").fin(),
        plays.lines("one").error(echo, 500).wait_for_close(),
    ]
    with caplog.at_level(logging.DEBUG, logger="synapse_sdk"), Agent(*scripts) as agent:
        agent.status_answers = [plays.answer(500, echo.encode(), "text/plain")] * 10
        result = auto_tail(
            agent.url, token=SECRETS[0], user_token=SECRETS[1], tenant=SECRETS[2], on_event=events.append
        )
    assert result.error is not None
    assert kinds(events) == ["fell_back", "reconnecting", "connected", "reconnecting", "resumed", "ended"]
    for text in [caplog.text, *map(str, events), *map(repr, events), repr(result.stream), str(result.error)]:
        assert not any(secret in text for secret in SECRETS)


def test_the_logger_tells_what_happens(tail: Tailer, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO, logger="synapse_sdk"),
        Agent(plays.lines("one").fin(), everything) as agent,
    ):
        tail(agent.url)
    records = [record for record in caplog.records if record.name.startswith("synapse_sdk")]
    assert [record.levelno for record in records] == [logging.INFO] * 4
    assert all("job" in record.getMessage() for record in records)
