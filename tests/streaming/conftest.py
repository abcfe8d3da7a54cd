"""The kinds of tail every streaming test runs over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
import anyio.from_thread
import pytest
import trustme
from backends import BACKENDS, Backend
from stopwatch import Stopwatch

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.utils.network import StreamLimits

__all__ = ["Reader", "Result", "Tailer"]

# Loading the system's certificates for each client would take longer than most of these tests.
_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

# Seconds; a busy machine makes a test of seconds take a minute.
_PATIENCE = 240.0

_END: Any = object()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "row(number, what): the row of the table in tests/streaming/rows.py that the test proves"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Let a tail that hangs fail its test."""

    def fail(*_: object) -> None:
        pytest.fail("it hangs")

    before = signal.signal(signal.SIGALRM, fail)
    # Again and again, for an event loop swallows what is raised in its callbacks.
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE, 1.0)
    try:
        return (yield)  # type: ignore[misc]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Result:
    """What a tail gave: its lines, and the error that ended it, if one did."""

    lines: list[str] = field(default_factory=list)
    error: ClientError | None = None
    stream: Any = None
    seconds: float = 0.0
    # Without the time that the machine gave to others; for upper bounds.
    own_seconds: float = 0.0

    def whole(self) -> list[str]:
        """The lines of a tail that ended well."""
        if self.error is not None:
            raise self.error
        return self.lines

    def failed(self, status_code: int) -> ClientError:
        """The error of a tail that failed in this way."""
        assert self.error is not None, f"the tail ended well after {len(self.lines)} lines"
        assert self.error.status_code == status_code, self.error
        return self.error


class Reader:
    """A tail that is read step by step, the same way for every client."""

    def __init__(self, stream: Any, run: Callable[..., Any], start: Callable[..., Future[Any]]) -> None:
        self.stream = stream
        self.run = run
        """Call a method of the client or the stream, awaited where it must be."""
        self._start = start

    def next(self) -> str:
        """The next line; `StopIteration` at the end."""
        return _line(self.run(_next, self.stream))

    def take(self, count: int) -> list[str]:
        return [self.next() for _ in range(count)]

    def rest(self) -> list[str]:
        return list(iter(self.next_or_end, _END))

    def next_or_end(self) -> Any:
        return self.run(_next, self.stream)

    def waiting(self) -> Future[Any]:
        """Ask for the next line in another thread or task."""
        return self._start(_next, self.stream)

    def close(self) -> None:
        self.run(self.stream.close)


def _next(stream: Any) -> Any:
    return anext(stream, _END) if hasattr(stream, "__anext__") else next(stream, _END)


def _line(value: Any) -> str:
    if value is _END:
        raise StopIteration
    return value  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Tailer:
    """Tails a job, by one client over one protocol."""

    backend: Backend
    protocol: Literal["websocket", "http", "auto"]

    def __call__(self, url: str, job_id: str = "job", **options: Any) -> Result:
        """Tail to the end."""
        tail, client = self._options(job_id, options)
        result = Result()
        watch = Stopwatch()
        if self.backend == "sync":
            with AgentClient(url, **client) as agent, agent.tail_job_logs(**tail) as result.stream:
                try:
                    result.lines.extend(result.stream)
                except ClientError as exc:
                    result.error = exc
        else:

            async def run() -> None:
                async with (
                    AsyncAgentClient(url, **client) as agent,
                    agent.tail_job_logs(**tail) as result.stream,
                ):
                    try:
                        async for line in result.stream:
                            result.lines.append(line)
                    except ClientError as exc:
                        result.error = exc
                if self.backend == "asyncio":
                    assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is left"

            anyio.run(run, backend=self.backend)
        result.seconds = time.monotonic() - watch.started
        result.own_seconds = watch.seconds()
        return result

    def reading(self, url: str, job_id: str = "job", **options: Any) -> AbstractContextManager[Reader]:
        """Open a tail to be read step by step; closed at the end of the block."""
        tail, client = self._options(job_id, options)
        return self._reading(url, client, lambda agent: agent.tail_job_logs(**tail))

    def reading_many(self, url: str, job_ids: Any, **options: Any) -> AbstractContextManager[Reader]:
        """Open the tails of several jobs to be read as one, step by step."""
        on_error = {"on_error": options.pop("on_error")} if "on_error" in options else {}
        tail, client = self._options(job_ids, options)
        del tail["job_id"]
        return self._reading(url, client, lambda agent: agent.tail_many(job_ids, **tail, **on_error))

    @contextlib.contextmanager
    def _reading(self, url: str, client: dict[str, Any], start: Callable[[Any], Any]) -> Iterator[Reader]:
        if self.backend == "sync":
            with (
                ThreadPoolExecutor(1) as threads,
                AgentClient(url, **client) as agent,
                start(agent) as stream,
            ):
                yield Reader(stream, lambda call, *args: call(*args), threads.submit)
            return

        with anyio.from_thread.start_blocking_portal(self.backend) as portal:

            async def awaited(call: Callable[..., Any], *args: Any) -> Any:
                return await call(*args)

            async def make_client() -> AsyncAgentClient:
                return AsyncAgentClient(url, **client)

            agent = portal.call(make_client)
            with portal.wrap_async_context_manager(agent):
                stream = start(agent)
                with portal.wrap_async_context_manager(stream):
                    yield Reader(
                        stream,
                        lambda call, *args: portal.call(awaited, call, *args),
                        lambda call, *args: portal.start_task_soon(awaited, call, *args),
                    )

    def client(self, url: str, **options: Any) -> Any:
        """A client whose tails these are, for tests that do everything else themselves."""
        _, client = self._options("job", options)
        return (AgentClient if self.backend == "sync" else AsyncAgentClient)(url, **client)

    def _options(self, job_id: str, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        tail: dict[str, Any] = {
            "job_id": job_id,
            "timeout": options.pop("timeout", 5.0),
            "protocol": options.pop("protocol", self.protocol),
        }
        if "on_event" in options:
            tail["on_event"] = options.pop("on_event")
        return tail, {
            "agent_token": options.pop("token", "a-token"),
            "timeout": options.pop("rest_timeout", None),
            "stream_limits": options.pop("limits", None) or StreamLimits.unlimited(),
            "verify": options.pop("verify", _TRUST),
            **options,
        }


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once: how long the waits are is no matter of these tests."""
    monkeypatch.setattr("synapse_sdk.streaming._tail._BACKOFF", 0.005)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """No test leaves a thread or a socket behind."""
    before = _left()
    yield
    end = time.monotonic() + 1
    while (left := _left() - before) and time.monotonic() < end:
        time.sleep(0.01)  # a thread that ended may still be on its way out
    assert not left


def _left() -> set[str]:
    threads = {f"thread {thread.name} {thread.ident}" for thread in threading.enumerate()}
    sockets: set[str] = set()
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a Path would open its own
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
            if target.startswith("socket:"):
                sockets.add(target)
    return threads | sockets


@pytest.fixture(
    params=[(backend, protocol) for backend in BACKENDS for protocol in ("websocket", "http")], ids="-".join
)
def tail(request: pytest.FixtureRequest) -> Tailer:
    """A tail over an explicit protocol."""
    return Tailer(*request.param)


@pytest.fixture(params=BACKENDS)
def auto_tail(request: pytest.FixtureRequest) -> Tailer:
    """A tail that chooses its protocol."""
    return Tailer(request.param, "auto")


@pytest.fixture(params=BACKENDS)
def websocket_tail(request: pytest.FixtureRequest) -> Tailer:
    return Tailer(request.param, "websocket")


@pytest.fixture(params=BACKENDS)
def http_tail(request: pytest.FixtureRequest) -> Tailer:
    return Tailer(request.param, "http")


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1, and who trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return Certificate(server, client)
