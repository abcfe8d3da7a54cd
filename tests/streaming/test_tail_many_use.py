"""`tail_many` as a program uses it: loops, threads, tasks, and what is left when it forgets to close."""

from __future__ import annotations

import gc
import threading
from typing import Any

import anyio
import pytest

from .conftest import Tailer
from .scripted import Agent, plays
from .test_tail_many import JOBS, lines_of, of, whole


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_loop(protocol: Any) -> None:
    with Agent(whole(*JOBS)) as agent, Tailer("sync", protocol).client(agent.url) as client:
        with client.tail_many(JOBS, protocol=protocol) as stream:
            pairs = list(stream)
        assert [of(job_id, pairs) for job_id in JOBS] == [lines_of(job_id) for job_id in JOBS]
        assert repr(stream).endswith("of 3 jobs>")


@pytest.mark.parametrize("protocol", ["websocket", "http"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_loop(backend: Any, protocol: Any) -> None:
    async def main(url: str) -> list[tuple[str, str]]:
        async with (
            Tailer(backend, protocol).client(url) as client,
            client.tail_many(JOBS, protocol=protocol) as stream,
        ):
            return [pair async for pair in stream]

    with Agent(whole(*JOBS)) as agent:
        pairs = anyio.run(main, agent.url, backend=backend)
    assert [of(job_id, pairs) for job_id in JOBS] == [lines_of(job_id) for job_id in JOBS]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_read_that_is_cancelled_loses_and_repeats_nothing(backend: Any) -> None:
    ready = threading.Event()
    script = plays.lines(*lines_of("job-a")[:2]).then(lambda peer: ready.wait(20))
    agent = Agent(script.lines(*lines_of("job-a")).complete(), whole("job-a"))

    async def main(url: str) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        async with Tailer(backend, "websocket").client(url) as client, client.tail_many(["job-a"]) as stream:
            pairs += [await anext(stream), await anext(stream)]
            with anyio.move_on_after(0.05) as scope:
                await anext(stream)
            assert scope.cancelled_caught
            ready.set()
            return pairs + [pair async for pair in stream]

    with agent:
        pairs = anyio.run(main, agent.url, backend=backend)
    assert of("job-a", pairs) == lines_of("job-a")


def forget(streams: list[Any]) -> None:
    streams.clear()
    gc.collect()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_that_is_not_closed_is_warned_of_and_its_connections_end(backend: Any) -> None:
    async def main(agent: Agent) -> None:
        async with Tailer(backend, "http").client(agent.url) as client:
            streams = [client.tail_many(["job-a"])]
            await anext(streams[0])
            with pytest.warns(ResourceWarning, match="was not closed; use it in 'async with'"):
                forget(streams)
            with anyio.fail_after(5):
                while agent.connections:  # noqa: ASYNC110 - it is the peer that sees it
                    await anyio.sleep(0.01)

    with Agent(plays.lines("job-a line 0").then(lambda peer: peer.wait_for_close())) as agent:
        anyio.run(main, agent, backend=backend)


def test_an_error_that_is_no_clients_own_reaches_the_consumer(tail: Tailer) -> None:
    def on_event(event: Any) -> None:
        raise ZeroDivisionError

    with (
        Agent(whole("job-a")) as agent,
        tail.reading_many(agent.url, ["job-a"], on_event=on_event) as reader,
        pytest.raises(ZeroDivisionError),
    ):
        reader.rest()
