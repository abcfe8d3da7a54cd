"""Logs of scripted jobs, live and over, by every way and protocol there is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import httpx
import pytest

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import (
    AuthorizationError,
    ClientError,
    NotFoundError,
    ServerError,
    StreamLimitExceededError,
)
from synapse_sdk.testing import FakeAgent
from synapse_sdk.utils.network import StreamLimits

from .ways import Way, each_backend, each_protocol, each_way

TEXT = ["epoch 1", "", "é🚀", "50%\r100%", "a\u2028b"]


@each_way
@each_protocol
def test_lines_come_as_the_test_writes_them(agent: FakeAgent, way: Way, protocol: str) -> None:
    job = agent.add_job("train", logs=TEXT)
    more = iter(
        [
            lambda: job.log("six", "seven"),
            lambda: job.write("ei"),
            lambda: job.write("ght\nunended"),
            job.succeed,
        ]
    )

    def on_line(line: str) -> None:
        if line in (TEXT[-1], "seven"):
            next(more)()
        if line == "seven":
            next(more)()
        if line == "eight":
            next(more)()

    tailed = way.tail(agent, "train", protocol=protocol, on_line=on_line)
    assert tailed.lines == [*TEXT, "six", "seven", "eight", "unended"]
    assert (tailed.protocol, tailed.status, tailed.reconnects) == (protocol, "SUCCEEDED", 0)


@each_backend
@each_protocol
def test_a_quiet_job_is_waited_for(agent: FakeAgent, way: Way, protocol: str) -> None:
    job = agent.add_job("train")
    timer = threading.Timer(1.5, lambda: (job.log("at last"), job.fail()))
    timer.start()
    tailed = way.tail(agent, "train", protocol=protocol, timeout=1.0)
    timer.join()
    assert (tailed.lines, tailed.status, tailed.reconnects) == (["at last"], "FAILED", 0)


@each_backend
@each_protocol
@pytest.mark.parametrize("how", ["fin", "close", "reset"])
@pytest.mark.parametrize("offsets", [True, False])
def test_a_stream_that_breaks_is_resumed(
    agent: FakeAgent, way: Way, protocol: str, how: str, offsets: bool
) -> None:
    agent.offsets = offsets
    job = agent.add_job("train", logs=[f"line {n}" for n in range(20)])
    job.drop_tail(after_lines=3, how=how)
    job.drop_tail(after_bytes=300, how=how)
    tailed = way.tail(
        agent, "train", protocol=protocol, on_line=lambda line: line == "line 19" and job.succeed()
    )
    assert tailed.lines == [f"line {n}" for n in range(20)]
    assert tailed.reconnects >= 2
    again = agent.requests_of(f"{'websocket' if protocol == 'websocket' else 'stream'}_tail_job_logs")[1]
    given = again.query.get("offset") if protocol == "websocket" else again.headers.get("last-event-id")
    # Where there are no offsets the log comes anew, and the client skips what it has.
    assert given == (str(3 * len("line 0\n")) if offsets else None)


@each_backend
def test_open_streams_break_when_they_are_told_to(agent: FakeAgent, way: Way) -> None:
    job = agent.add_job("train", logs=["one"])

    def on_line(line: str) -> None:
        if line == "one":
            job.wait_for_tail()
            job.drop_tail()
            job.log("two")
            job.succeed()

    tailed = way.tail(agent, "train", on_line=on_line)
    assert tailed.lines == ["one", "two"]
    assert tailed.events.count("resumed") == 1


@each_backend
def test_without_websockets_there_is_http(agent: FakeAgent, way: Way) -> None:
    agent.websockets = False
    agent.add_job("train", status="SUCCEEDED", logs=["one"])
    tailed = way.tail(agent, "train")
    assert (tailed.lines, tailed.protocol) == (["one"], "http")
    assert "fell_back" in tailed.events
    with pytest.raises(ClientError) as caught:
        way.tail(agent, "train", protocol="websocket")
    assert caught.value.status_code == 503


@each_backend
@each_protocol
@pytest.mark.parametrize(
    ("status", "kind"), [(403, AuthorizationError), (503, ServerError), (None, ClientError)]
)
def test_an_error_event_ends_the_tail_behind_its_lines(
    agent: FakeAgent, way: Way, protocol: str, status: int | None, kind: type[ClientError]
) -> None:
    job = agent.add_job("train", logs=["one"])
    job.fail_tail("the node is gone", status_code=status)
    job.log("two")
    lines: list[str] = []
    with pytest.raises(kind, match="the node is gone") as caught:
        way.tail(agent, "train", protocol=protocol, on_line=lines.append)
    assert caught.value.status_code == (status or 500)
    assert lines == ["one"]
    # Once: who tails again gets on.
    job.succeed()
    assert way.tail(agent, "train", protocol=protocol).lines == ["one", "two"]


@each_protocol
def test_events_of_any_kind_can_be_sent(agent: FakeAgent, protocol: str) -> None:
    job = agent.add_job("train", logs=["one"])
    job.send_event({"type": "progress", "percent": 50})
    job.send_event({"type": "note", "message": "by the way"})
    job.send_event("bare text")
    job.succeed()
    assert list(agent.client().tail_job_logs("train", protocol=protocol)) == [
        "one",
        "by the way",
        "bare text",
    ]


@each_protocol
def test_a_line_of_any_length_is_cut_as_the_client_wants(agent: FakeAgent, protocol: str) -> None:
    agent.add_job("train", status="SUCCEEDED", logs=["é" * 100_000, "next"])
    client = agent.client(stream_limits=StreamLimits(on_oversize="skip"))
    with client.tail_job_logs("train", protocol=protocol) as stream:
        assert list(stream) == ["next"]
        assert stream.truncated_lines == 1
    client.stream_limits = StreamLimits(max_message_size=200_000)
    assert list(client.tail_job_logs("train", protocol=protocol)) == ["é" * 100_000, "next"]
    client.stream_limits = StreamLimits(on_oversize="error")
    with pytest.raises(StreamLimitExceededError):
        list(client.tail_job_logs("train", protocol=protocol))


@each_protocol
def test_a_message_above_every_bound_is_refused_on_a_websocket_and_cut_over_http(
    agent: FakeAgent, protocol: str
) -> None:
    agent.offsets = False  # agents that don't know the newline's place send a line whole
    agent.add_job("train", status="SUCCEEDED", logs=["x" * 2_000_000])
    tail = agent.client().tail_job_logs("train", protocol=protocol)
    if protocol == "http":
        assert len(list(tail)) == 1
    else:
        with pytest.raises(StreamLimitExceededError) as caught:
            list(tail)
        assert caught.value.status_code == 429


@each_protocol
def test_a_large_log_comes_whole(agent: FakeAgent, protocol: str) -> None:
    lines = [f"{n} " + "x" * (n % 200) for n in range(20_000)]
    agent.add_job("train", status="SUCCEEDED", logs=lines)
    client = agent.client(stream_limits=StreamLimits.unlimited())
    assert list(client.tail_job_logs("train", protocol=protocol)) == lines


def test_several_clients_follow_one_job(agent: FakeAgent) -> None:
    job = agent.add_job("train", logs=["one"])
    streams = [agent.client().tail_job_logs("train") for _ in range(3)]
    assert [next(stream) for stream in streams] == ["one"] * 3
    assert job.tails == 3
    job.log("two")
    job.succeed()
    assert [list(stream) for stream in streams] == [["two"]] * 3


def test_many_threads_write_and_many_read(agent: FakeAgent) -> None:
    job = agent.add_job("train")
    unlimited = StreamLimits.unlimited()
    protocols: list[Literal["websocket", "http"]] = ["websocket", "http"] * 3
    with ThreadPoolExecutor(10) as pool:
        tails = [
            pool.submit(list, agent.client(stream_limits=unlimited).tail_job_logs("train", protocol=protocol))
            for protocol in protocols
        ]
        writers = [pool.submit(lambda n=n: [job.log(f"{n}-{i}") for i in range(1000)]) for n in range(4)]
        for writer in writers:
            writer.result()
        job.succeed()
        lines = [tail.result() for tail in tails]
    assert len(job.lines) == 4000
    assert lines == [job.lines] * len(protocols)


def test_several_jobs_make_one_stream(agent: FakeAgent) -> None:
    for name in ("a", "b"):
        agent.add_job(name, status="SUCCEEDED", logs=["one", "two"])
    with agent.client().tail_many(["a", "b"]) as stream:
        assert sorted(stream) == [("a", "one"), ("a", "two"), ("b", "one"), ("b", "two")]


def test_a_tail_that_is_left_is_noticed(agent: FakeAgent) -> None:
    job = agent.add_job("train", logs=["one"])
    with agent.client().tail_job_logs("train") as stream:
        next(stream)
        job.wait_for_tail()
    job._record.changes.wait(lambda: job.tails == 0, 5, "it was not noticed")


def test_a_stream_is_closed_from_another_thread(agent: FakeAgent) -> None:
    agent.add_job("train", logs=["one"])
    stream = agent.client().tail_job_logs("train")
    next(stream)
    closer = threading.Timer(0.1, stream.close)
    closer.start()
    assert list(stream) == []
    closer.join()


@each_backend
@each_protocol
def test_there_is_no_such_job(agent: FakeAgent, way: Way, protocol: str) -> None:
    with pytest.raises(NotFoundError):
        way.tail(agent, "none", protocol=protocol)


def test_the_log_so_far_is_a_text(agent: FakeAgent) -> None:
    job = agent.add_job("train", logs=TEXT)
    job.write("unended")
    assert agent.client().get_job_logs("train") == "\n".join([*TEXT, "unended"]) == job.text
    assert job.lines == [*TEXT, "unended"]


def test_waiting_for_a_tail_has_an_end(agent: FakeAgent) -> None:
    job = agent.add_job("train")
    with pytest.raises(TimeoutError, match="nobody tails job train"):
        job.wait_for_tail(timeout=0.01)
    with pytest.raises(TimeoutError, match="job train is not over"):
        job.wait_for_end(timeout=0.01)


@pytest.mark.parametrize(
    "arguments", [{"after_lines": 1, "after_bytes": 1}, {"after_lines": -1}, {"after_bytes": -1}]
)
def test_a_break_that_can_not_be_is_refused(agent: FakeAgent, arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        agent.add_job("train").drop_tail(**arguments)  # type: ignore[arg-type]


def test_older_clients_that_ask_for_anything_get_no_ids(agent: FakeAgent) -> None:
    """They would print them as lines."""
    agent.add_job("train", status="SUCCEEDED", logs=["one"])
    with httpx.Client(transport=agent.transport()) as http:
        body = http.get(f"{agent.url}jobs/train/logs/stream/", headers={"Authorization": agent.token}).text
    assert "id:" not in body
    assert '"message": "one"' in body


def test_a_client_of_the_real_class_tails(agent: FakeAgent) -> None:
    assert type(agent.client()) is AgentClient
