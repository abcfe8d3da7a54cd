"""However a tail is left, its connection is gone at once, and nothing that should surface is swallowed."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from backends import Backend
from checkout import environment
from stopwatch import Stopwatch

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientError

from .conftest import Certificate, Reader, Tailer
from .rows import row
from .scripted import Agent, Peer, plays

LINES = [f"line {n}" for n in range(6)]

flood = plays.flood()
quiet = plays.lines("one").quiet(10)


@pytest.fixture
def unreachable() -> Iterator[str]:
    """An address at which connecting is neither accepted nor refused: a full backlog drops what comes."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fill = [socket.socket() for _ in range(3)]
        for sock in fill:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}"
        for sock in fill:
            sock.close()


@pytest.fixture(params=["websocket", "http"])
def protocol(request: pytest.FixtureRequest) -> Any:
    return request.param


async def gone(agent: Agent, within: float = 0.5) -> None:
    """`Agent.wait_until_gone` for an event loop that must go on meanwhile."""
    watch = Stopwatch()
    while True:
        try:
            agent.wait_until_gone(0)
        except AssertionError:
            if watch.seconds() > within:
                raise
            await anyio.sleep(0.005)
        else:
            return


# --- leaving the loop


def seconds_to_leave(leave: Callable[[str], Stopwatch]) -> float:
    """From the moment of leaving, which `leave` tells, until the agent's writes fail; the best of three."""
    took: list[float] = []
    for _ in range(3):  # others use this machine too
        with Agent(flood) as agent:
            left = leave(agent.url)
            agent.wait_until_gone(5)
        took.append(left.seconds(agent.ended[0]))
        if took[-1] < 0.1:
            break
    return min(took)


@row(13)
def test_break_in_a_flood(tail: Tailer) -> None:
    def leave(url: str) -> Stopwatch:
        if tail.backend == "sync":
            with tail.client(url) as client, client.tail_job_logs("job", protocol=tail.protocol) as stream:
                for number, _line in enumerate(stream):
                    if number == 100:
                        break
                return Stopwatch()

        async def leave_async() -> Stopwatch:
            async with (
                tail.client(url) as client,
                client.tail_job_logs("job", protocol=tail.protocol) as stream,
            ):
                number = 0
                async for _line in stream:
                    number += 1
                    if number == 100:
                        break
                return Stopwatch()

        return anyio.run(leave_async, backend=tail.backend)

    assert seconds_to_leave(leave) < 0.1


@row(13)
def test_break_in_a_flood_without_a_context_manager(protocol: Any) -> None:
    def leave(url: str) -> Stopwatch:
        client = Tailer("sync", protocol).client(url)
        for number, _line in enumerate(client.tail_job_logs("job", protocol=protocol)):
            if number == 100:
                break
        left = Stopwatch()
        clients.append(client)  # which is not what closes the connection
        return left

    clients: list[Any] = []
    assert seconds_to_leave(leave) < 0.1
    for client in clients:
        client.close()


@row(13)
def test_close_in_a_flood(tail: Tailer) -> None:
    def leave(url: str) -> Stopwatch:
        with tail.reading(url) as reader:
            reader.take(100)
            left = Stopwatch()
            reader.close()
            assert reader.rest() == []
            return left

    assert seconds_to_leave(leave) < 0.1


@row(15)
def test_async_break_in_a_context_manager_needs_no_collector(async_backend: Backend, protocol: Any) -> None:
    async def run(agent: Agent) -> None:
        async with Tailer(async_backend, protocol).client(agent.url) as client:
            async with client.tail_job_logs("job", protocol=protocol) as stream:
                async for _line in stream:
                    break
            await gone(agent)
            assert stream.lines == 1

    gc.disable()
    try:
        with Agent(quiet) as agent:
            anyio.run(run, agent, backend=async_backend)
    finally:
        gc.enable()


@row(15)
def test_async_break_without_closing_is_warned_of_and_collected(
    async_backend: Backend, protocol: Any
) -> None:
    async def run(agent: Agent) -> None:
        async with Tailer(async_backend, protocol).client(agent.url) as client:
            with pytest.warns(ResourceWarning, match="AsyncLogStream.*async with"):
                await begun_and_let_go(client)
            await gone(agent)

    async def begun_and_let_go(client: Any) -> None:
        async for _line in client.tail_job_logs("job", protocol=protocol):
            break
        gc.collect()

    with Agent(quiet) as agent:
        anyio.run(run, agent, backend=async_backend)


# --- Ctrl-C

SYNC = """
import sys
from synapse_sdk.clients.agent import AgentClient
try:
    for line in AgentClient(sys.argv[1], "t").tail_job_logs("job", protocol=sys.argv[2]):
        print(line, flush=True)
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
    raise
"""

ASYNC = """
import sys, asyncio
from synapse_sdk.clients.agent import AsyncAgentClient
async def main():
    async with AsyncAgentClient(sys.argv[1], "t") as client:
        async with client.tail_job_logs("job", protocol=sys.argv[2]) as stream:
            async for line in stream:
                print(line, flush=True)
try:
    RUN
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
    raise
"""

PROGRAMS = {
    "sync": SYNC,
    "asyncio": ASYNC.replace("RUN", "asyncio.run(main())"),
    # trio raises it in a group where it comes while a nursery is open, such as trio's own for connecting.
    "trio": ASYNC.replace("RUN", "import trio; trio.run(main)").replace("except K", "except* K"),
}


def interrupted(backend: str, url: str, protocol: str, wait: Callable[[subprocess.Popen[str]], None]) -> None:
    """Run a program that tails, send it SIGINT when `wait` returns, and see it be out of the tail at once."""
    command = [sys.executable, "-c", PROGRAMS[backend], url, protocol]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            wait(process)
            wait_until_asleep(process.pid)
            watch = Stopwatch(process.pid)
            process.send_signal(signal.SIGINT)
            assert process.stdout is not None
            output = process.stdout.readline()
            took = watch.seconds()
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert output == "KeyboardInterrupt\n", errors
    assert took < 1
    assert "ClientError" not in errors
    assert "ResourceWarning" not in errors
    assert process.returncode in (-signal.SIGINT, 1)


def wait_until_asleep(pid: int) -> None:
    """Wait until a process is inside a system call that waits.

    `asyncio.run` has no wakeup descriptor for SIGINT: one that comes just before the call is seen after it.
    """
    status = Path(f"/proc/{pid}/stat")
    end = time.monotonic() + 20
    asleep = 0
    while asleep < 3 and time.monotonic() < end:
        state = status.read_text().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" else 0
        time.sleep(0.01)


@row(14)
def test_ctrl_c_with_a_dead_peer(backend: str, protocol: str) -> None:
    def attached(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == "one\n"

    with Agent(plays.lines("one").silence()) as agent:
        interrupted(backend, agent.url, protocol, attached)


@row(14)
def test_ctrl_c_during_the_handshake(backend: str) -> None:
    with Agent(plays.silence()) as agent:
        interrupted(backend, agent.url, "websocket", lambda _: agent.wait_for_streams(1, 20))


@row(14)
def test_ctrl_c_while_connecting(backend: str, unreachable: str) -> None:
    interrupted(backend, unreachable, "http", lambda _: wait_for_syn(int(unreachable.rpartition(":")[2])))


def wait_for_syn(port: int) -> None:
    """Wait until somebody besides the fixture waits for the answer to a SYN."""
    end = time.monotonic() + 20
    waiting = connecting(port)
    while len(connecting(port) - waiting) < 1:
        assert time.monotonic() < end
        time.sleep(0.01)


def connecting(port: int) -> set[str]:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    entries = [line.split() for line in lines]
    return {entry[1] for entry in entries if entry[2].endswith(f":{port:04X}") and entry[3] == "02"}


# --- close() while a read blocks


def closed_while_waiting(reader: Reader, within: float = 0.5) -> None:
    """`close` wakes a read that blocks in another thread or task, which ends at once and quietly."""
    pending = reader.waiting()
    time.sleep(0.1)
    assert not pending.done()
    watch = Stopwatch()
    reader.close()
    assert not isinstance(pending.result(30), str)  # the end, not a line and no error
    assert watch.seconds() < within
    assert reader.rest() == []


@row(16)
def test_close_while_a_read_blocks(tail: Tailer) -> None:
    with Agent(quiet) as agent, tail.reading(agent.url) as reader:
        assert reader.next() == "one"
        closed_while_waiting(reader)
        agent.wait_until_gone()


@row(16)
def test_close_while_a_read_blocks_over_tls(tail: Tailer, certificate: Certificate) -> None:
    with (
        Agent(plays.lines("one").wait_for_close(), tls=certificate.server) as agent,
        tail.reading(agent.url, verify=certificate.client, timeout=30) as reader,
    ):
        assert reader.next() == "one"
        closed_while_waiting(reader)
        agent.wait_until_gone()


@row(16)
def test_close_during_the_handshake(tail: Tailer) -> None:
    with Agent(plays.silence()) as agent, tail.reading(agent.url) as reader:
        closed_while_waiting(reader)
        agent.wait_until_gone()


@row(16)
def test_close_during_a_tls_handshake(tail: Tailer, certificate: Certificate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with tail.reading(url, verify=certificate.client) as reader:
            closed_while_waiting(reader)


@row(16)
def test_close_while_connecting(tail: Tailer, unreachable: str) -> None:
    """Sync: there is no socket yet to end, so a blocked read ends with the timeout of connecting."""
    with tail.reading(unreachable, max_retries=0, timeout=0.5) as reader:
        closed_while_waiting(reader, within=1.5 if tail.backend == "sync" else 0.5)


@row(16)
def test_close_while_the_status_is_asked_for(tail: Tailer) -> None:
    with Agent(plays.lines("one").fin()) as agent:
        agent.status_answers = [plays.silence()]
        with tail.reading(agent.url) as reader:
            assert reader.next() == "one"
            closed_while_waiting(reader)


@row(16)
def test_close_while_waiting_to_reconnect(tail: Tailer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.streaming._tail._BACKOFF", 8.0)
    with Agent(plays.lines("one").fin()) as agent, tail.reading(agent.url) as reader:
        assert reader.next() == "one"
        closed_while_waiting(reader)


def test_close_before_there_is_a_socket(protocol: Any) -> None:
    """It is ended as soon as it is there, however long the agent takes to answer."""
    streams: list[Any] = []

    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            streams[0].close()
            return super().handle_request(request)

    with Agent(plays.silence()) as agent, httpx.Client(transport=Transport()) as http:
        client = AgentClient(agent.url, "a-token", http_client=http)
        streams.append(client.tail_job_logs("job", 20, protocol=protocol))
        watch = Stopwatch()
        assert list(streams[0]) == []
        assert watch.seconds() < 5


def test_close_by_another_thread_just_when_a_line_has_come(
    protocol: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Agent(flood) as agent, Tailer("sync", protocol).client(agent.url) as client:
        stream = client.tail_job_logs("job", protocol=protocol)
        read_more = stream.read_more
        monkeypatch.setattr(stream, "read_more", lambda: (read_more(), stream.close()))
        assert list(stream) == []


def test_close_before_the_first_read(tail: Tailer) -> None:
    with Agent(quiet) as agent, tail.reading(agent.url) as reader:
        reader.close()
        assert reader.rest() == []
        assert agent.requests == []


def test_closing_twice_and_after_the_end(tail: Tailer) -> None:
    with Agent(plays.lines(*LINES).complete()) as agent, tail.reading(agent.url) as reader:
        assert reader.rest() == LINES
        reader.close()
        reader.close()
        assert reader.rest() == []
        assert reader.stream.lines == len(LINES)


def test_the_connection_is_given_back_at_the_end_without_closing(tail: Tailer) -> None:
    with Agent(plays.lines(*LINES).complete()) as agent, tail.reading(agent.url) as reader:
        assert reader.rest() == LINES
        agent.wait_until_gone()


# --- cancellation


class SlowLog:
    """A log that gets a line every 0.1 s, with or without a reader."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, peer: Peer) -> None:
        peer.accept()
        position = 0
        for number, line in enumerate(LINES):
            position += len(line) + 1
            if position > (peer.request.offset or 0):
                peer.pause(max(0.0, self.started + 0.1 * number - time.monotonic()))
                peer.log(line, position)
        peer.complete()


def test_a_read_that_is_cancelled_loses_and_repeats_nothing(async_backend: Backend, protocol: Any) -> None:
    async def run(url: str) -> tuple[list[str], int]:
        lines: list[str] = []
        cancelled = 0
        async with (
            Tailer(async_backend, protocol).client(url) as client,
            client.tail_job_logs("job", protocol=protocol) as stream,
        ):
            while True:
                with anyio.move_on_after(0.07) as scope:
                    try:
                        lines.append(await anext(stream))
                    except StopAsyncIteration:
                        return lines, cancelled
                cancelled += scope.cancelled_caught

    with Agent(SlowLog()) as agent:
        lines, cancelled = anyio.run(run, agent.url, backend=async_backend)
    assert lines == LINES
    assert cancelled


def test_a_read_that_wait_for_gives_up_loses_and_repeats_nothing(protocol: Any) -> None:
    async def run(url: str) -> tuple[list[str], int]:
        lines: list[str] = []
        timeouts = 0
        async with (
            Tailer("asyncio", protocol).client(url) as client,
            client.tail_job_logs("job", protocol=protocol) as stream,
        ):
            while True:
                try:
                    lines.append(await asyncio.wait_for(anext(stream), 0.07))
                except TimeoutError:
                    timeouts += 1
                except StopAsyncIteration:
                    return lines, timeouts

    with Agent(SlowLog()) as agent:
        lines, timeouts = asyncio.run(run(agent.url))
    assert lines == LINES
    assert timeouts


def test_a_read_that_is_cancelled_while_the_status_is_asked_for(
    async_backend: Backend, protocol: Any
) -> None:
    async def run(agent: Agent) -> list[str]:
        async with (
            Tailer(async_backend, protocol).client(agent.url) as client,
            client.tail_job_logs("job", protocol=protocol) as stream,
        ):
            lines = [await anext(stream)]
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(anext, stream)
                    while len(agent.requests) == len(agent.streams):  # noqa: ASYNC110 - it is the agent that sees it
                        await anyio.sleep(0.01)
                    scope.cancel()
            assert scope.cancelled_caught
            return lines + [line async for line in stream]

    agent = Agent(plays.lines("line 0").fin(), plays.lines(*LINES).complete())
    agent.status_answers = [plays.silence()]
    with agent:
        assert anyio.run(run, agent, backend=async_backend) == LINES


@pytest.mark.parametrize("state", ["reading", "handshake"])
def test_cancellation_surfaces_and_the_connection_is_gone(
    async_backend: Backend, protocol: Any, state: str
) -> None:
    async def run(agent: Agent) -> None:
        async with Tailer(async_backend, protocol).client(agent.url) as client:
            stream = client.tail_job_logs("job", protocol=protocol)
            with anyio.CancelScope() as scope:
                async with stream:
                    async for _line in stream:
                        scope.deadline = anyio.current_time() + 0.1
                    raise AssertionError("the stream ended")
            assert scope.cancelled_caught
            await gone(agent)

    async def in_handshake(agent: Agent) -> None:
        async with Tailer(async_backend, protocol).client(agent.url) as client:
            with anyio.move_on_after(0.1) as scope:
                await anext(client.tail_job_logs("job", protocol=protocol))
            assert scope.cancelled_caught
            await gone(agent)

    script, body = {"reading": (quiet, run), "handshake": (plays.silence(), in_handshake)}[state]
    with Agent(script) as agent:
        anyio.run(body, agent, backend=async_backend)


def test_the_cancelled_error_of_a_task_surfaces(protocol: Any) -> None:
    async def run(agent: Agent) -> None:
        attached = asyncio.Event()

        async def tail() -> None:
            async with (
                Tailer("asyncio", protocol).client(agent.url) as client,
                client.tail_job_logs("job", protocol=protocol) as stream,
            ):
                async for _line in stream:
                    attached.set()

        task = asyncio.create_task(tail())
        await attached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await gone(agent)

    with Agent(quiet) as agent:
        asyncio.run(run(agent))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_what_the_consumer_raises_surfaces(tail: Tailer, error: type[BaseException]) -> None:
    def consume() -> None:
        with tail.reading(agent.url) as reader:
            reader.next()
            raise error

    with Agent(quiet) as agent:
        with pytest.raises(error):
            consume()
        agent.wait_until_gone()


def test_a_generator_around_a_tail_can_be_closed(protocol: Any) -> None:
    def lines(client: Any) -> Iterator[str]:
        with client.tail_job_logs("job", protocol=protocol) as stream:
            yield from stream

    with Agent(quiet) as agent, Tailer("sync", protocol).client(agent.url) as client:
        generator = lines(client)
        assert next(generator) == "one"
        generator.close()  # type: ignore[attr-defined]
        agent.wait_until_gone()


def test_an_async_generator_around_a_tail_can_be_closed(async_backend: Backend, protocol: Any) -> None:
    async def lines(client: Any) -> AsyncIterator[str]:
        async with client.tail_job_logs("job", protocol=protocol) as stream:
            async for line in stream:
                yield line

    async def run(agent: Agent) -> None:
        async with Tailer(async_backend, protocol).client(agent.url) as client:
            generator = lines(client)
            assert await anext(generator) == "one"
            await generator.aclose()  # type: ignore[attr-defined]
            await gone(agent)

    with Agent(quiet) as agent:
        anyio.run(run, agent, backend=async_backend)


def test_two_tasks_can_not_read_one_stream(async_backend: Backend, protocol: Any) -> None:
    with Agent(quiet) as agent, Tailer(async_backend, protocol).reading(agent.url) as reader:
        assert reader.next() == "one"
        pending = reader.waiting()
        time.sleep(0.05)
        with pytest.raises(RuntimeError, match="another task"):
            reader.next()
        reader.close()
        pending.result(3)


def test_the_client_closed_under_a_tail(tail: Tailer) -> None:
    """The tail ends, or says so; nothing hangs and nothing foreign gets out."""
    with Agent(quiet) as agent:
        if tail.backend == "sync":
            client = tail.client(agent.url)
            stream = client.tail_job_logs("job", protocol=tail.protocol)
            assert next(stream) == "one"
            client.close()
            with pytest.raises(ClientError, match="closed"):
                next(stream)
        else:

            async def run() -> None:
                client = tail.client(agent.url)
                async with client.tail_job_logs("job", protocol=tail.protocol) as stream:
                    assert await anext(stream) == "one"
                    await client.close()
                    with pytest.raises(ClientError, match="closed"):
                        await anext(stream)

            anyio.run(run, backend=tail.backend)
