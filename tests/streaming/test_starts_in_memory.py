"""Streams that begin inside of a log, however it is sent and however often the connection breaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from chaos.logs import KINDS, Kind, Message, complete, encode, lines_of, messages
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.streaming._commands import Open
from synapse_sdk.streaming._start import Start
from synapse_sdk.testing._window import Window

from .in_memory import Answer, run_tail
from .test_properties import BREAKS, PROTOCOLS, Drop, drops, logs, thorough

pytestmark = pytest.mark.slow

OFFSETS = ("offsets", "offset pieces")


@dataclass
class Agent:
    """Sends a log whose job is over, as its kind does; `windows` if it knows parts of logs.

    Its connections drop as told, and the next one gets through.
    """

    kind: Kind
    log: str
    drops: Sequence[Drop] = ()
    windows: bool = False
    whole_logs: int = 0
    finished: bool = False

    def status(self) -> str:
        return "SUCCEEDED" if self.finished else "RUNNING"

    def connect(self, command: Open) -> Answer:
        data = self.log.encode()
        if command.kind == "stream" and command.path == "jobs/job/logs/":
            self.whole_logs += 1
            body = json.dumps(self.log).encode()
            return Answer(body, "closed", reads=(7, 3), content_type="application/json")
        websocket = command.kind == "websocket"
        plain = self.kind == "bare" and not websocket
        asked = command.params.get("offset", command.headers.get("Last-Event-ID"))
        assert "tail" not in command.params or "Last-Event-ID" not in command.headers
        start = 0
        if self.windows:
            tail = command.params.get("tail")
            start, _ = Window(int(asked or 0), None if tail is None else int(tail)).of(data)
        elif self.kind in OFFSETS:
            start = int(asked or 0)
        drop, self.drops = (self.drops[0], self.drops[1:]) if self.drops else (None, ())
        cuts = (1, 3, 4) if drop is None else drop.cuts
        # Pieces without offsets are known by their first newline.
        newline = self.log.find("\n")
        if self.kind == "pieces":
            cuts = tuple(cut for cut in cuts if cut > newline >= 0)
        sent = messages(self.kind, self.log, start=start, cuts=cuts)
        if self.windows:
            sent.insert(0, Message(json.dumps({"type": "connected", "offset": start}), start))
        elif not plain:
            sent.insert(0, Message(json.dumps({"type": "connected"}), start))
        if not plain:  # such a log has no events
            sent.append(complete(len(data)))
        answer = Answer(
            b"".join(encode(message, websocket=websocket, plain=plain) for message in sent),
            "closed",
            content_type="text/plain" if plain else "text/event-stream",
        )
        if drop is not None:
            answer.data = answer.data[: drop.position % (len(answer.data) + 1)]
            answer.reads, answer.end = drop.read, drop.end
        self.finished = drop is None
        return answer


AGENTS = [(kind, False) for kind in KINDS] + [(kind, True) for kind in KINDS if kind in OFFSETS]
each_agent = pytest.mark.parametrize(
    ("kind", "windows"), AGENTS, ids=[f"{kind}, {'new' if new else 'old'}" for kind, new in AGENTS]
)


def ends_of(log: str) -> list[int]:
    """Where each line ends."""
    lines = log.encode().split(b"\n")
    ends = [sum(len(line) + 1 for line in lines[: number + 1]) for number in range(len(lines))]
    ends[-1] -= 1
    return ends if lines[-1] else ends[:-1]


def agent_of(data: Any, kind: Kind, *, windows: bool) -> Agent:
    log = data.draw(logs(kind), label="log")
    breaks = data.draw(st.lists(drops(BREAKS), max_size=4), label="drops")
    return Agent(kind, log, breaks, windows)


def rest(agent: Agent, first: int) -> list[str]:
    # Pieces without a newline look like whole lines.
    kind: Kind = "lines" if agent.kind == "pieces" and "\n" not in agent.log else agent.kind
    return lines_of(agent.log, kind)[first:]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@each_agent
@thorough
@given(data=st.data())
def test_a_stream_goes_on_from_any_line(
    kind: Kind, windows: bool, protocol: Literal["websocket", "http"], data: Any
) -> None:
    agent = agent_of(data, kind, windows=windows)
    ends = [0, *ends_of(agent.log)]
    first = data.draw(st.integers(0, len(ends) - 1), label="line")
    outcome = run_tail(protocol, agent.connect, agent.status, start=Start(ends[first]))
    assert outcome.whole() == rest(agent, first)
    assert outcome.tail.log.start == ends[first]
    assert not agent.whole_logs
    # After each line the position is where the next one begins.
    assert outcome.positions == (ends[first + 1 :] if kind in OFFSETS else implied(agent, ends[first + 1 :]))


def implied(agent: Agent, ends: list[int]) -> list[int]:
    """Where lines end by an agent that sends neither offsets nor the last newline."""
    if ends and not agent.log.endswith("\n") and (agent.kind != "pieces" or "\n" not in agent.log):
        return [*ends[:-1], ends[-1] + 1]
    return ends


@pytest.mark.parametrize("protocol", PROTOCOLS)
@each_agent
@thorough
@given(data=st.data())
def test_a_stream_of_the_last_lines(
    kind: Kind, windows: bool, protocol: Literal["websocket", "http"], data: Any
) -> None:
    agent = agent_of(data, kind, windows=windows)
    ends = [0, *ends_of(agent.log)]
    tail = data.draw(st.integers(0, len(ends) + 1), label="tail")
    least = data.draw(st.integers(0, len(ends) - 1) | st.just(0), label="from line")
    first = max(least, len(ends) - 1 - tail)
    outcome = run_tail(protocol, agent.connect, agent.status, start=Start(ends[least], tail))
    assert outcome.whole() == rest(agent, first)
    assert outcome.tail.log.start == ends[first]
    # An empty log that is plain text tells no old agent from a new one.
    silent = kind == "bare" and protocol == "http" and not agent.log
    assert agent.whole_logs == (0 if windows or silent else 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@each_agent
@thorough
@given(data=st.data())
def test_a_position_beyond_the_log_is_an_error(
    kind: Kind, windows: bool, protocol: Literal["websocket", "http"], data: Any
) -> None:
    agent = agent_of(data, kind, windows=False)
    if kind in OFFSETS:
        return  # such agents answer 416, before any stream
    beyond = len(agent.log.encode()) + data.draw(st.integers(2, 50), label="beyond")
    outcome = run_tail(protocol, agent.connect, agent.status, start=Start(beyond))
    assert outcome.lines == []
    if agent.log:
        assert isinstance(outcome.error, ClientError)
        assert outcome.error.status_code in (416, 503)
