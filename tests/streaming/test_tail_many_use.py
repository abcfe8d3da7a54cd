"""`tail_many` as a program uses it: loops, threads, tasks, and what is left when it forgets to close."""

from __future__ import annotations

import gc
import sys
import threading
from collections import deque
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from synapse_sdk.streaming import StreamEvent

from .conftest import Tailer
from .scripted import Agent, Peer, plays
from .test_tail_many import JOBS, by_job, lines_of, of, whole


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_loop(protocol: Any) -> None:
    with Agent(whole(*JOBS)) as agent, Tailer("sync", protocol).client(agent.url) as client:
        with client.tail_many(JOBS, protocol=protocol) as stream:
            pairs = list(stream)
        assert [of(job_id, pairs) for job_id in JOBS] == [lines_of(job_id) for job_id in JOBS]
        assert repr(stream).endswith("of 3 jobs>")


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_an_async_loop(async_backend: Any, protocol: Any) -> None:
    async def main(url: str) -> list[tuple[str, str]]:
        async with (
            Tailer(async_backend, protocol).client(url) as client,
            client.tail_many(JOBS, protocol=protocol) as stream,
        ):
            return [pair async for pair in stream]

    with Agent(whole(*JOBS)) as agent:
        pairs = anyio.run(main, agent.url, backend=async_backend)
    assert [of(job_id, pairs) for job_id in JOBS] == [lines_of(job_id) for job_id in JOBS]


def test_a_read_that_is_cancelled_loses_and_repeats_nothing(async_backend: Any) -> None:
    ready = threading.Event()
    script = plays.lines(*lines_of("job-a")[:2]).then(lambda peer: ready.wait(20))
    agent = Agent(script.lines(*lines_of("job-a")).complete(), whole("job-a"))

    async def main(url: str) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        async with (
            Tailer(async_backend, "websocket").client(url) as client,
            client.tail_many(["job-a"]) as stream,
        ):
            pairs += [await anext(stream), await anext(stream)]
            with anyio.move_on_after(0.05) as scope:
                await anext(stream)
            assert scope.cancelled_caught
            ready.set()
            return pairs + [pair async for pair in stream]

    with agent:
        pairs = anyio.run(main, agent.url, backend=async_backend)
    assert of("job-a", pairs) == lines_of("job-a")


def test_a_read_that_is_cancelled_when_a_line_has_come_loses_and_repeats_nothing(async_backend: Any) -> None:
    """The line came, but was not handed out; nor is a job started anew whose log is over."""
    last = threading.Event()
    scopes: list[anyio.CancelScope] = []

    def second(peer: Peer) -> None:
        """Send the head of the answer and the first lines as one, once the other job is over."""
        peer.headers_sent = True
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        events = [
            peer.encode({"type": "log", "message": line, "offset": 13 * (n + 1)})
            for n, line in enumerate(lines_of("job-b"))
        ]
        last.wait(20)
        peer.raw(head + b"".join(events[:3]))
        peer.raw(b"".join(events[3:]))
        peer.complete()

    def on_event(event: StreamEvent) -> None:
        if event.job_id == "job-a" and event.kind == "ended":
            last.set()
        if event.job_id == "job-b" and event.kind == "connected":
            scopes[-1].cancel()

    async def main(url: str) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        async with (
            Tailer(async_backend, "http").client(url) as client,
            client.tail_many(["job-a", "job-b"], protocol="http", on_event=on_event) as stream,
        ):
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                # A line that is there is handed out without a look at the scope; on trio that may be all.
                async for pair in stream:
                    pairs.append(pair)
            async for pair in stream:
                pairs.append(pair)
                await anyio.lowlevel.checkpoint()  # the readers go on while lines are left
            return pairs

    with Agent(by_job({"job-a": whole("job-a"), "job-b": second})) as agent:
        pairs = anyio.run(main, agent.url, backend=async_backend)
        assert len(agent.streams) == 2
    assert [of(job_id, pairs) for job_id in ("job-a", "job-b")] == [lines_of("job-a"), lines_of("job-b")]


def test_asyncio_without_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trio", None)  # as if it was not installed
    test_an_async_loop("asyncio", "websocket")


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_closed_by_a_reader(protocol: Any) -> None:
    """`on_event` is called in the thread of a tail, which can't wait for its own end."""
    streams: list[Any] = []

    def on_event(event: StreamEvent) -> None:
        streams[0].close()

    with (
        Agent(plays.accept().wait_for_close()) as agent,
        Tailer("sync", protocol).client(agent.url) as client,
    ):
        streams.append(client.tail_many(["job-a"], protocol=protocol, on_event=on_event))
        assert list(streams[0]) == []
        agent.wait_until_gone(5)


def test_closed_by_another_thread_just_when_lines_have_come() -> None:
    class Round(deque[tuple[str, str]]):
        def extend(self, pairs: Any) -> None:
            super().extend(pairs)
            stream.close()

    with Agent(whole("job-a")) as agent, Tailer("sync", "websocket").client(agent.url) as client:
        stream = client.tail_many(["job-a"])
        stream._round = Round()
        assert list(stream) == []


def forget(streams: list[Any]) -> None:
    streams.clear()
    gc.collect()


def test_one_that_is_not_closed_is_warned_of_and_its_connections_end(async_backend: Any) -> None:
    async def main(agent: Agent) -> None:
        async with Tailer(async_backend, "http").client(agent.url) as client:
            streams = [client.tail_many(["job-a"])]
            await anext(streams[0])
            with pytest.warns(ResourceWarning, match="was not closed; use it in 'async with'"):
                forget(streams)
            with anyio.fail_after(5):
                while agent.connections:  # noqa: ASYNC110 - it is the peer that sees it
                    await anyio.sleep(0.01)

    with Agent(plays.lines("job-a line 0").then(lambda peer: peer.wait_for_close())) as agent:
        anyio.run(main, agent, backend=async_backend)


def test_an_error_that_is_no_clients_own_reaches_the_consumer(tail: Tailer) -> None:
    def on_event(event: Any) -> None:
        raise ZeroDivisionError

    with (
        Agent(whole("job-a")) as agent,
        tail.reading_many(agent.url, ["job-a"], on_event=on_event) as reader,
        pytest.raises(ZeroDivisionError),
    ):
        reader.rest()
