"""Streams that begin inside of a log: of an agent that knows parts of logs, and of older ones."""

from __future__ import annotations

import time
from typing import Any

import pytest

from synapse_sdk.clients.exceptions import ClientError, HTTPError, ValidationError
from synapse_sdk.testing import FakeAgent
from synapse_sdk.utils.network import StreamLimits

from .ways import Way, each_backend, each_protocol, each_way

AGENTS = {"new": {}, "old": {"windows": False}, "oldest": {"windows": False, "offsets": False}}
each_agent = pytest.mark.parametrize("age", AGENTS)
LINES = [f"line {number} é🚀" for number in range(1, 41)]
ENDS = [sum(len(line.encode()) + 1 for line in LINES[:number]) for number in range(len(LINES) + 1)]


def aged(agent: FakeAgent, age: str) -> None:
    for name, value in AGENTS[age].items():
        setattr(agent, name, value)


@each_agent
@each_protocol
@each_way
def test_the_last_lines_and_what_comes_then(agent: FakeAgent, way: Way, protocol: str, age: str) -> None:
    aged(agent, age)
    job = agent.add_job("train", logs=LINES)

    def on_line(line: str) -> None:
        if line == LINES[-1]:
            job.log("more")
            job.drop_tail()
        elif line == "more":
            job.log("and more")
            job.succeed()

    tailed = way.tail(agent, "train", tail=3, protocol=protocol, on_line=on_line)
    assert tailed.lines == [*LINES[-3:], "more", "and more"]
    assert (tailed.protocol, tailed.status) == (protocol, "SUCCEEDED")
    asked = [request for request in agent.requests if request.query.get("tail")]
    assert len(asked) == (1 if age == "new" else 2)


@each_agent
@each_protocol
@each_backend
def test_only_what_comes_from_now_on(agent: FakeAgent, way: Way, protocol: str, age: str) -> None:
    aged(agent, age)
    job = agent.add_job("train", logs=LINES)
    events: list[str] = []

    def on_event(event: Any) -> None:
        events.append(event.kind)
        # Of an older agent, the first connection only shows that it is one.
        if event.kind == ("connected" if age == "new" else "resumed") and "more" not in job.lines:
            job.log("more")
            job.succeed()

    tailed = way.tail(agent, "train", start="end", protocol=protocol, on_event=on_event)
    assert tailed.lines == ["more"]


@each_agent
@each_protocol
@each_way
def test_a_stream_goes_on_where_another_one_stopped(
    agent: FakeAgent, way: Way, protocol: str, age: str
) -> None:
    aged(agent, age)
    job = agent.add_job("train", logs=LINES)
    job.succeed()
    with agent.client().tail_job_logs("train", protocol=protocol) as first:  # type: ignore[arg-type]
        for number, line in enumerate(first, 1):
            assert (line, first.position) == (LINES[number - 1], ENDS[number])
            if number == 17:
                break
        position = first.position
        assert (first.start, first.bytes) == (0, position)
    # Lines that were read ahead and not handed out don't count when it is closed.
    assert (first.position, first.lines, first.bytes) == (position, 17, position)
    job.drop_tail(after_lines=5)
    tailed = way.tail(agent, "train", start=position, protocol=protocol)
    assert tailed.lines == LINES[17:]


@each_agent
@each_protocol
def test_what_a_stream_tells_of_where_it_is(agent: FakeAgent, protocol: Any, age: str) -> None:
    aged(agent, age)
    agent.add_job("train", logs=LINES).succeed()
    client = agent.client()
    with client.tail_job_logs("train", protocol=protocol, tail=2) as stream:
        assert (stream.start, stream.position) == (None, None)
        assert next(stream) == LINES[-2]
        assert (stream.start, stream.position, stream.lines) == (ENDS[-3], ENDS[-2], 1)
        assert stream.bytes == ENDS[-2] - ENDS[-3]
    with client.tail_job_logs("train", protocol=protocol, start=ENDS[38], tail=5) as stream:
        assert list(stream) == LINES[38:]
        assert stream.start == ENDS[38]
    with client.tail_job_logs("train", protocol=protocol, start=ENDS[2], tail=5) as stream:
        assert list(stream) == LINES[-5:]
    with client.tail_job_logs("train", protocol=protocol, start=ENDS[-1]) as stream:
        assert list(stream) == []
        assert stream.position == ENDS[-1]


@each_agent
@each_protocol
def test_a_position_beyond_the_log(agent: FakeAgent, protocol: Any, age: str) -> None:
    aged(agent, age)
    agent.add_job("train", logs=LINES).succeed()
    stream = agent.client().tail_job_logs("train", protocol=protocol, start=ENDS[-1] + 5)
    if age == "old":
        # It would wait for that byte for ever, if the job were not over.
        assert list(stream) == []
        return
    with pytest.raises(HTTPError, match="fewer than") as caught:
        next(stream)
    assert caught.value.status_code == 416


@each_agent
def test_limits_count_what_is_asked_for(agent: FakeAgent, age: str) -> None:
    aged(agent, age)
    agent.add_job("train", logs=LINES).succeed()
    for protocol in ("websocket", "http"):
        limits = StreamLimits(max_lines=3, max_messages=3, max_bytes=ENDS[40] - ENDS[37])
        client = agent.client(stream_limits=limits)
        for options in ({"tail": 3}, {"start": ENDS[37]}):
            assert list(client.tail_job_logs("train", protocol=protocol, **options)) == LINES[-3:]  # type: ignore[arg-type]
        with pytest.raises(ClientError) as caught:
            list(client.tail_job_logs("train", protocol=protocol, tail=4))  # type: ignore[arg-type]
        assert caught.value.status_code == 429


@pytest.mark.parametrize(
    "options",
    [
        {"start": "middle"},
        {"start": -1},
        {"start": True},
        {"start": 1.0},
        {"start": None},
        {"start": 10**18},
        {"tail": -1},
        {"tail": True},
        {"tail": "5"},
        {"start": "end", "tail": 5},
    ],
)
def test_bad_starts_are_refused_at_once(agent: FakeAgent, options: dict[str, Any]) -> None:
    client, other = agent.client(), agent.async_client()
    for tail in (client.tail_job_logs, other.tail_job_logs):
        with pytest.raises(ValidationError) as caught:
            tail("train", **options)
        assert caught.value.status_code == 400
    with pytest.raises(ValidationError):
        client.tail_many(["train"], **options)
    with pytest.raises(ValidationError):
        client.tail_many(["train"], start={"train": -1})
    with pytest.raises(ValidationError, match="several jobs"):
        client.tail_many(["train"], start=5)  # type: ignore[arg-type]
    assert not agent.requests


# -- when lines were read


@each_protocol
@each_backend
def test_lines_that_are_read_live_have_a_time(agent: FakeAgent, way: Way, protocol: str) -> None:
    job = agent.add_job("train", logs=["before"])
    before = time.time()
    found: list[float | None] = []

    def on_line(line: str) -> None:
        if line == "before":
            job.log("live", "live too")
        elif line == "live too":
            job.succeed()

    def see(stream: Any) -> None:
        found.append(stream.time)

    way.tail(agent, "train", protocol=protocol, on_line=on_line, see=see)
    first, second, third = found
    assert first is None
    assert second is not None
    assert before <= second == third <= time.time()


def test_an_older_agent_has_no_times(agent: FakeAgent) -> None:
    agent.windows = False
    job = agent.add_job("train")
    with agent.client().tail_job_logs("train", on_event=lambda _: None) as stream:
        job.log("live")
        job.succeed()
        assert [stream.time for _ in stream] == [None]


# -- several logs


@each_agent
# Not asyncio: the fake agent is reached over a Unix socket, and anyio's may log there that a future was set
# twice when it is closed while it is read.
@pytest.mark.parametrize("backend", ["sync", "trio"])
def test_a_collector_goes_on_with_several_logs(agent: FakeAgent, backend: str, age: str) -> None:
    aged(agent, age)
    for name in ("a", "b", "c"):
        agent.add_job(name, logs=[f"{name} {line}" for line in LINES]).succeed()
    seen: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    positions: dict[str, int] = {}
    way = Way(backend, "in-process")  # type: ignore[arg-type]
    streams: list[Any] = []
    for stop in (10, 31, 57, 1000):

        def take(pair: tuple[str, str], stream: Any, stop: int = stop) -> bool:
            job_id, line = pair
            seen[job_id].append(line)
            streams.append(stream)
            return sum(map(len, seen.values())) >= stop

        way.tail_many(agent, ["a", "b", "c"], take, start=dict(positions))
        positions |= streams[-1].positions  # closed by now
    assert seen == {name: [f"{name} {line}" for line in LINES] for name in seen}


def test_the_last_lines_of_several_logs(agent: FakeAgent) -> None:
    for name in ("a", "b"):
        agent.add_job(name, logs=[f"{name} {line}" for line in LINES]).succeed()
    with agent.client().tail_many(["a", "b"], tail=2) as stream:
        assert stream.positions == {}
        assert sorted(stream) == [(name, f"{name} {line}") for name in "ab" for line in LINES[-2:]]
        assert [one.start for one in stream.streams.values()] == [ENDS[38] + 2 * 38] * 2
