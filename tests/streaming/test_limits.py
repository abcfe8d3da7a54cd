"""`StreamLimits`: each field is enforced, and exactly its allowance is delivered before the error."""

from __future__ import annotations

from typing import Any

import pytest
from tables import each_row

from synapse_sdk.clients.exceptions import StreamLimitExceededError
from synapse_sdk.utils.network import StreamLimits

from .conftest import Result, Tailer
from .scripted import Agent, Peer


def limits(**fields: Any) -> StreamLimits:
    return StreamLimits(**{"max_messages": None, "max_lines": None, "max_bytes": None, **fields})


def ten_lines(peer: Peer) -> None:
    peer.lines(*(f"line {n}" for n in range(10)))
    peer.complete()


def exceeded(result: Result, field: str) -> list[str]:
    assert isinstance(result.error, StreamLimitExceededError)
    assert result.error.status_code == 429
    assert field in str(result.error)
    return result.lines


def test_max_messages_counts_websocket_messages(websocket_tail: Tailer) -> None:
    with Agent(ten_lines) as agent:
        assert exceeded(websocket_tail(agent.url, limits=limits(max_messages=4)), "max_messages") == [
            f"line {n}" for n in range(4)
        ]
        assert len(websocket_tail(agent.url, limits=limits(max_messages=10, max_lines=1)).whole()) == 10


def test_max_lines_counts_lines_over_http(http_tail: Tailer) -> None:
    with Agent(ten_lines) as agent:
        assert exceeded(http_tail(agent.url, limits=limits(max_lines=4)), "max_lines") == [
            f"line {n}" for n in range(4)
        ]
        assert len(http_tail(agent.url, limits=limits(max_lines=10, max_messages=1)).whole()) == 10


def test_max_bytes_counts_log_bytes(tail: Tailer) -> None:
    size = len("line 0\n")
    with Agent(ten_lines) as agent:
        assert len(exceeded(tail(agent.url, limits=limits(max_bytes=3 * size)), "max_bytes")) == 3
        assert len(exceeded(tail(agent.url, limits=limits(max_bytes=4 * size - 1)), "max_bytes")) == 3
        assert len(tail(agent.url, limits=limits(max_bytes=10 * size)).whole()) == 10


@each_row("one_message", [True, False], ids=["one message", "pieces"])
def test_an_oversize_line(tail: Tailer, one_message: bool) -> None:
    lines = ["short", "ä" * 60, "end"]

    def script(peer: Peer) -> None:
        if one_message:
            peer.lines(*lines)
        else:
            text = "".join(line + "\n" for line in lines)
            for start in range(0, len(text), 7):
                peer.log(text[start : start + 7])
        peer.complete()

    with Agent(script) as agent:
        cut = tail(agent.url, limits=limits(max_message_size=101))
        skipped = tail(agent.url, limits=limits(max_message_size=101, on_oversize="skip"))
        refused = tail(agent.url, limits=limits(max_message_size=101, on_oversize="error"))
        untouched = tail(agent.url, limits=limits(max_message_size=120))
    assert cut.whole() == ["short", "ä" * 50 + "…[truncated]", "end"]
    assert cut.stream.truncated_lines == 1
    assert skipped.whole() == ["short", "end"]
    assert skipped.stream.truncated_lines == 1
    assert exceeded(refused, "max_message_size") == ["short"]
    assert untouched.whole() == lines


def test_several_lines_in_a_message_are_measured_each(tail: Tailer) -> None:
    def script(peer: Peer) -> None:
        peer.log("a" * 80 + "\n" + "b" * 80 + "\n")
        peer.complete()

    with Agent(script) as agent:
        assert tail(agent.url, limits=limits(max_message_size=100)).whole() == ["a" * 80, "b" * 80]


def test_limits_are_those_set_when_the_tail_was_started() -> None:
    from synapse_sdk.clients.agent import AgentClient

    with Agent(ten_lines) as agent, AgentClient(agent.url, "t") as client:
        client.stream_limits = limits(max_lines=2)
        stream = client.tail_job_logs("job", protocol="http")
        client.stream_limits = limits(max_lines=1)
        assert [next(stream), next(stream)] == ["line 0", "line 1"]
        with pytest.raises(StreamLimitExceededError):
            next(stream)
