"""Forks, event loops that follow each other, and green threads."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
import trio

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.streaming import StreamEvent
from synapse_sdk.testing import FakeAgent

from ..streaming.scripted import Agent, Peer
from ..unit.scripted_server import Request, Server, json_answer

pytestmark = [pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"), pytest.mark.slow]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


# Where an event loop ends before the client is closed, Python warns about its connections.
left_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def echo(connection: socket.socket, request: Request) -> None:
    connection.sendall(json_answer(200, {"status": request.target.split("/")[2]}))


def children(count: int, work: Callable[[int], str]) -> list[str]:
    """Fork so many children, and return what each writes."""
    reading, writing = os.pipe()
    pids = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            said = "nothing"
            try:
                signal.alarm(20)
                said = work(number)
            except BaseException as exc:  # noqa: BLE001
                said = repr(exc).replace("\n", " ")
            finally:
                os.write(writing, f"{number} {said}\n".encode())
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as file:
        return sorted(line.rstrip("\n").partition(" ")[2] for line in file)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_children_of_a_used_client_have_connections_of_their_own() -> None:
    with Server(echo) as server, AgentClient(server.url, "t", max_retries=0, timeout=10) as client:
        client.get_job("before")
        assert children(4, lambda number: str(client.get_job(f"c{number}").status)) == [
            "c0",
            "c1",
            "c2",
            "c3",
        ]
        assert client.get_job("after").status == "after"
        assert server.accepted == 5


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@left_open
@pytest.mark.parametrize("runner", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_children_of_a_used_async_client(runner: Any) -> None:
    with Server(echo) as server:
        client = AsyncAgentClient(server.url, "t", max_retries=0, timeout=10)

        async def call(name: str) -> str:
            return str((await client.get_job(name)).status)

        assert runner(call, "before") if runner is trio.run else runner(call("before")) == "before"

        def in_child(number: int) -> str:
            return str(runner(call, f"c{number}") if runner is trio.run else runner(call(f"c{number}")))

        assert children(2, in_child) == ["c0", "c1"]
        assert server.accepted == 3


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_lock_that_another_thread_holds_is_not_inherited(caplog: pytest.LogCaptureFixture) -> None:
    """Threads call all the time, so that some fork happens in the middle of a call."""
    # The buffer of a log file has a lock that Python does not renew in a child.
    caplog.set_level(logging.WARNING, logger="synapse_sdk")
    over = threading.Event()
    with Server(echo) as server, AgentClient(server.url, "t", timeout=10) as client:

        def call() -> None:
            while not over.is_set():
                client.get_job("x")

        # A fork in the middle of an import is Python's own trouble.
        client.get_job("first")
        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            said = children(12, lambda number: str(client.get_job(f"c{number}").status))
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert said == sorted(f"c{number}" for number in range(12))


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_tail_goes_on_in_a_child_over_its_own_connection(protocol: Any) -> None:
    with FakeAgent(token="t", listen=True) as agent:
        job = agent.add_job("job", logs=["one"])
        with AgentClient(agent.url, "t") as client, client.tail_job_logs("job", protocol=protocol) as stream:
            assert next(stream) == "one"
            job.log("two")
            job.succeed()
            assert children(2, lambda _: " ".join(stream)) == ["two", "two"]
            assert list(stream) == ["two"]
            assert stream.reconnects == 0


@left_open
@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_tail_goes_on_in_another_event_loop(protocol: Any) -> None:
    with FakeAgent(token="t", listen=True) as agent:
        job = agent.add_job("job", logs=["one"])
        stream = AsyncAgentClient(agent.url, "t").tail_job_logs("job", timeout=5, protocol=protocol)

        async def line() -> str:
            with anyio.fail_after(4):
                return await anext(stream)

        async def rest() -> list[str]:
            async with stream:
                return [line async for line in stream]

        assert asyncio.run(line()) == "one"
        job.log("two")
        assert asyncio.run(line()) == "two"
        job.log("three")
        assert trio.run(line) == "three"
        job.succeed()
        assert asyncio.run(rest()) == []


@left_open
def test_a_client_that_is_used_on_asyncio_and_then_on_trio() -> None:
    with Server(echo) as server:
        client = AsyncAgentClient(server.url, "t", max_retries=0)

        async def main() -> None:
            for number in range(2):
                assert (await client.get_job(f"j{number}")).status == f"j{number}"

        for _ in range(2):
            asyncio.run(main())
            trio.run(main)
        assert server.accepted == 4


class NoticedError(Exception):
    pass


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_signals_more_often_than_a_read_may_last_do_not_hide_a_dead_peer(protocol: Any) -> None:
    def silent(peer: Peer) -> None:
        peer.lines("one")
        peer.silence()

    def notice(event: StreamEvent) -> None:
        if event.kind == "reconnecting":
            raise NoticedError

    before = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        with (
            Agent(silent) as agent,
            AgentClient(agent.url, "a-token", max_retries=0) as client,
        ):
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            begin = time.monotonic()
            with pytest.raises(NoticedError):
                list(client.tail_job_logs("job", timeout=0.5, protocol=protocol, on_event=notice))
            assert time.monotonic() - begin < 10
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, sys
from synapse_sdk.clients.agent import AgentClient

heard = []
def tail(protocol):
    with AgentClient(sys.argv[1], "t") as client:
        return list(client.tail_job_logs("job", timeout=1, protocol=protocol, on_event=heard.append))

tasks = [gevent.spawn(tail, protocol) for protocol in ("websocket", "http")]
gevent.joinall(tasks, timeout=20)
print([task.value for task in tasks], sum(event.kind == "reconnecting" for event in heard))
"""


def test_a_dead_peer_is_noticed_under_gevent() -> None:
    begun: list[bool] = []

    def once(peer: Peer) -> None:
        begun.append(peer.websocket)
        if begun.count(peer.websocket) == 1:
            peer.log("one", offset=4)
            peer.silence()
        else:
            peer.complete("SUCCEEDED")

    with Agent(once, once, once, once) as agent:
        ran = subprocess.run(
            [sys.executable, "-c", GEVENT, agent.url],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert ran.stdout.strip() == "[['one'], ['one']] 2", ran.stderr


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_stream_of_several_logs_that_a_child_drops_takes_no_lock() -> None:
    with FakeAgent() as agent:
        agent.add_job("a", logs=["1"])
        stream = agent.client().tail_many(["a"])
        assert next(stream) == ("a", "1")
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with stream._readers.lock:
                held.set()
                done.wait(60)

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(60)

        def drop(_: int) -> str:
            nonlocal stream
            del stream
            gc.collect()
            return "dropped"

        try:
            assert children(1, drop) == ["dropped"]
        finally:
            done.set()
            holder.join()
        stream.close()
