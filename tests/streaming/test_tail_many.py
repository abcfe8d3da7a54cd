"""`tail_many`: several jobs as one stream of `(job_id, line)`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from stopwatch import Stopwatch
from tables import each_row

from synapse_sdk.clients.exceptions import ClientError, NotFoundError, ValidationError
from synapse_sdk.streaming import StreamEvent
from synapse_sdk.utils.network import StreamLimits

from .conftest import Reader, Tailer
from .scripted import Agent, Peer, Script, plays

JOBS = ["job-a", "job-b", "job-c"]


def lines_of(job_id: str, count: int = 5) -> list[str]:
    return [f"{job_id} line {n}" for n in range(count)]


def by_job(scripts: dict[str, Script]) -> Script:
    """Play for each job its own script."""
    return lambda peer: scripts[peer.request.path.split("/")[2]](peer)


def whole(*job_ids: str) -> Script:
    return by_job({job_id: plays.lines(*lines_of(job_id)).complete() for job_id in job_ids})


class Many:
    """A `tail_many` read step by step."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.stream = reader.stream

    def take(self, count: int) -> list[tuple[str, str]]:
        return [self.reader.next() for _ in range(count)]  # type: ignore[misc]

    def rest(self) -> list[tuple[str, str]]:
        return self.reader.rest()  # type: ignore[return-value]

    def until_error(self) -> tuple[list[tuple[str, str]], ClientError]:
        lines: list[tuple[str, str]] = []
        while True:
            try:
                lines += self.take(1)
            except ClientError as exc:
                return lines, exc


@contextmanager
def tailing(tail: Tailer, agent: Agent, job_ids: Any = JOBS, **options: Any) -> Iterator[Many]:
    with tail.reading_many(agent.url, job_ids, **options) as reader:
        yield Many(reader)


def of(job_id: str, pairs: list[tuple[str, str]]) -> list[str]:
    return [line for job, line in pairs if job == job_id]


def test_the_lines_of_each_job_arrive_whole_and_in_order(tail: Tailer) -> None:
    with Agent(whole(*JOBS)) as agent, tailing(tail, agent) as many:
        pairs = many.rest()
        assert many.stream.errors == {}
    assert len(pairs) == 15
    for job_id in JOBS:
        assert of(job_id, pairs) == lines_of(job_id)


def test_a_job_named_twice_is_tailed_once(tail: Tailer) -> None:
    with Agent(whole("job-a")) as agent, tailing(tail, agent, ["job-a", "job-a"]) as many:
        assert of("job-a", many.rest()) == lines_of("job-a")
        assert len(agent.streams) == 1


def test_no_jobs_are_an_empty_stream(tail: Tailer) -> None:
    with Agent() as agent, tailing(tail, agent, []) as many:
        assert many.rest() == []


def test_any_iterable_of_ids_will_do(tail: Tailer) -> None:
    with Agent(whole(*JOBS)) as agent, tailing(tail, agent, (job_id for job_id in JOBS)) as many:
        assert len(many.rest()) == 15


@each_row(
    ("job_ids", "options"),
    [
        ("job-a", {}),
        (7, {}),
        (["job-a", "a/b"], {}),
        (["job-a", ""], {}),
        (["job-a"], {"timeout": 0}),
        (["job-a"], {"protocol": "pigeon"}),
        (["job-a"], {"on_error": "ignore"}),
        (["job-a"], {"on_event": 7}),
    ],
)
def test_bad_parameters_are_refused_at_once(tail: Tailer, job_ids: Any, options: dict[str, Any]) -> None:
    client = tail.client("http://127.0.0.1:9")
    with pytest.raises(ValidationError) as caught:
        client.tail_many(job_ids, **options)
    assert caught.value.status_code == 400


def test_a_job_that_is_quiet_does_not_hold_up_the_others(tail: Tailer) -> None:
    scripts = {"job-a": plays.connected().quiet(5), "job-b": plays.lines(*lines_of("job-b")).complete()}
    with Agent(by_job(scripts)) as agent, tailing(tail, agent, list(scripts)) as many:
        assert of("job-b", many.take(5)) == lines_of("job-b")


def test_a_job_that_floods_leaves_the_others_their_turns(tail: Tailer) -> None:
    """Between two lines of a job that has lines waiting, no other gets more than one.

    They come in one piece: of several HTTP chunks httpx hands out one at a time, and the rest waits in it.
    """

    def waits(peer: Peer) -> None:
        flooding.wait(60)
        peer.accept()
        peer.raw(b"".join(peer.encode({"type": "log", "message": line}) for line in lines_of("job-b", 50)))
        peer.complete()

    def floods(peer: Peer) -> None:
        peer.accept()
        block = b"".join(peer.encode({"type": "log", "message": f"flood {n}"}) for n in range(1000))
        peer.raw(block)
        flooding.set()
        peer.endlessly(block)

    flooding = threading.Event()
    scripts = {"job-a": floods, "job-b": waits}
    with (
        Agent(by_job(scripts)) as agent,
        tailing(tail, agent, list(scripts), limits=StreamLimits(**NO_TOTALS, queue_size=100)) as many,
    ):
        pairs: list[tuple[str, str]] = []
        while len(of("job-b", pairs)) < 50:
            pairs += many.take(1)
            assert len(pairs) < 20_000
    first = next(number for number, (job_id, _) in enumerate(pairs) if job_id == "job-b")
    turns = [job_id for job_id, _ in pairs[first:]]
    assert turns.count("job-a") <= 60


NO_TOTALS: dict[str, Any] = {"max_messages": None, "max_lines": None, "max_bytes": None}


class Counting:
    """A flood that counts what of it was sent."""

    def __init__(self) -> None:
        self.sent = 0
        self.block = 100

    def __call__(self, peer: Peer) -> None:
        peer.accept()
        line = "x" * 1000
        block = b"".join(peer.encode({"type": "log", "message": line}) for _ in range(self.block))
        while not peer.stopped.is_set():
            peer.raw(block)
            self.sent += self.block


def test_a_consumer_that_lags_holds_the_jobs_up(tail: Tailer) -> None:
    """What is held stays within `queue_size`, beside what one read brings; the rest waits at the agents'."""
    floods = {job_id: Counting() for job_id in JOBS}
    limits = StreamLimits(**NO_TOTALS, queue_size=50)
    with Agent(by_job(dict(floods))) as agent, tailing(tail, agent, limits=limits) as many:
        many.take(3)
        sent = [-1] * len(JOBS)
        while sent != (sent := [flood.sent for flood in floods.values()]):
            time.sleep(0.2)  # until nobody takes any more
        held = sum(len(stream.pending) for stream in many.stream.streams.values())
        assert held <= 50 + 3 * 65  # a read is 64 KiB, and a line 1000 bytes
        assert sum(flood.sent for flood in floods.values()) < 60_000  # what the sockets' buffers take


def failing(job_id: str = "job-b") -> Script:
    scripts: dict[str, Script] = {
        job: plays.lines(*lines_of(job)).pause(0.2).complete() for job in JOBS if job != job_id
    }
    scripts[job_id] = plays.lines("last words").error("no such job", 404).wait_for_close()
    return by_job(scripts)


def test_a_job_that_fails_is_reported_after_the_others(tail: Tailer) -> None:
    events: list[StreamEvent] = []
    with Agent(failing()) as agent, tailing(tail, agent, on_event=events.append) as many:
        pairs, error = many.until_error()
        errors = dict(many.stream.errors)
        assert many.rest() == []  # told once
    assert of("job-a", pairs) == lines_of("job-a")
    assert of("job-b", pairs) == ["last words"]
    assert of("job-c", pairs) == lines_of("job-c")
    assert isinstance(error, NotFoundError)
    assert "job-b" in str(error)
    assert list(errors) == ["job-b"]
    assert errors["job-b"].status_code == 404
    assert {event.job_id for event in events} == set(JOBS)
    ended = {event.job_id: event.error for event in events if event.kind == "ended"}
    assert ended["job-a"] is None
    assert ended["job-b"] is not None


def test_a_job_that_fails_is_known_of_while_the_others_go_on(tail: Tailer) -> None:
    scripts = {"job-a": plays.lines("one").quiet(5), "job-b": plays.answer(404, b"{}")}
    failed = threading.Event()

    def on_event(event: StreamEvent) -> None:
        if event.kind == "ended":
            failed.set()

    with Agent(by_job(scripts)) as agent, tailing(tail, agent, list(scripts), on_event=on_event) as many:
        assert many.take(1) == [("job-a", "one")]
        assert failed.wait(60)
        end = time.monotonic() + 60
        while not many.stream.errors and time.monotonic() < end:
            time.sleep(0.01)
        assert list(many.stream.errors) == ["job-b"]


def test_on_error_raise_ends_the_others_at_once(tail: Tailer) -> None:
    scripts = {
        "job-a": plays.lines("one").quiet(10),
        "job-b": plays.error("no such job", 404).wait_for_close(),
    }
    with Agent(by_job(scripts)) as agent, tailing(tail, agent, list(scripts), on_error="raise") as many:
        watch = Stopwatch()
        _, error = many.until_error()
        assert watch.seconds() < 3
        assert isinstance(error, NotFoundError)
        agent.wait_until_gone()
        assert many.rest() == []


def test_several_failures_are_told_together(tail: Tailer) -> None:
    scripts: dict[str, Script] = {job_id: plays.answer(404, b'{"detail": "gone"}') for job_id in JOBS}
    with Agent(by_job(scripts)) as agent, tailing(tail, agent) as many:
        _, error = many.until_error()
        assert set(many.stream.errors) == set(JOBS)
    assert error.status_code == 404
    assert all(job_id in str(error) for job_id in JOBS)


def test_each_job_resumes_by_itself(tail: Tailer) -> None:
    seen: set[str] = set()

    def drops_once(peer: Peer) -> None:
        job_id = peer.request.path.split("/")[2]
        if job_id in seen:
            peer.lines(*lines_of(job_id))
            peer.complete()
        else:
            seen.add(job_id)
            peer.lines(*lines_of(job_id, 2))
            peer.fin()

    with Agent(drops_once) as agent, tailing(tail, agent) as many:
        pairs = many.rest()
        assert {stream.reconnects for stream in many.stream.streams.values()} == {1}
    for job_id in JOBS:
        assert of(job_id, pairs) == lines_of(job_id)


def test_limits_are_for_each_job(tail: Tailer) -> None:
    limits = StreamLimits(**{**NO_TOTALS, "max_bytes": len("job-a line 0\n") * 3})
    with Agent(whole(*JOBS)) as agent, tailing(tail, agent, limits=limits) as many:
        pairs, error = many.until_error()
    for job_id in JOBS:
        assert of(job_id, pairs) == lines_of(job_id, 3)
    assert error.status_code == 429


def quiet_all() -> Script:
    return by_job({job_id: plays.lines("one").quiet(10) for job_id in JOBS})


def test_close_gives_back_all_connections(tail: Tailer) -> None:
    with Agent(quiet_all()) as agent, tailing(tail, agent) as many:
        many.take(3)
        many.reader.close()
        agent.wait_until_gone()
        assert many.rest() == []
        many.reader.close()


def test_close_while_a_read_blocks(tail: Tailer) -> None:
    with Agent(quiet_all()) as agent, tailing(tail, agent) as many:
        many.take(3)
        pending: Future[Any] = many.reader.waiting()
        time.sleep(0.1)
        watch = Stopwatch()
        many.reader.close()
        assert not isinstance(pending.result(30), tuple)
        assert watch.seconds() < 0.5
        agent.wait_until_gone()


def test_close_in_a_flood(tail: Tailer) -> None:
    flood = by_job(dict.fromkeys(JOBS, plays.flood()))
    with Agent(flood) as agent, tailing(tail, agent) as many:
        many.take(300)
        many.reader.close()
        agent.wait_until_gone()
        assert many.rest() == []


def test_nothing_is_connected_before_the_first_line_is_asked_for(tail: Tailer) -> None:
    with Agent(quiet_all()) as agent, tailing(tail, agent) as many:
        many.reader.close()
        assert many.rest() == []
        assert agent.requests == []


def test_many_jobs_at_once(tail: Tailer) -> None:
    job_ids = [f"job-{n}" for n in range(30)]
    run: Callable[[], Agent] = lambda: Agent(whole(*job_ids))  # noqa: E731
    with run() as agent, tailing(tail, agent, job_ids) as many:
        pairs = many.rest()
    assert sorted(pairs) == sorted((job_id, line) for job_id in job_ids for line in lines_of(job_id))
