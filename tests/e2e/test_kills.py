"""What a tail does when an agent is killed, a job is stopped, or Ray dies under it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio
import pytest
from running_agent import (
    RunningAgent,
    agent_command,
    agent_environment,
    dashboard,
    guard_pid,
    ray_token,
    running_agent,
    short_tmp,
)

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.utils.network import StreamLimits

pytestmark = pytest.mark.ray

Protocol = Literal["websocket", "http", "auto"]
TOKEN = "token-of-a-gateway"
COUNT = 300
LINES = [f"{n} {'é🚀'[n % 2] * (n % 5)}" if n % 7 else "" for n in range(COUNT)]
COUNTS = f"""
for n in range({COUNT}):
    print(f"{{n}} {{'é🚀'[n % 2] * (n % 5)}}" if n % 7 else "", flush=True)
    time.sleep(0.02)
"""
COUNTS_FOR_EVER = """
n = 0
while True:
    print(n, flush=True)
    n += 1
    time.sleep(0.02)
"""


class Gateway:
    """An agent before somebody else's Ray, on a port that it keeps, which can be killed and started again."""

    def __init__(self, ray: RunningAgent, tmp: Path) -> None:
        self._command = ["--ray", dashboard(ray)]
        self._environment = {"RAY_AUTH_TOKEN": ray_token(ray), "SYNAPSE_AGENT_TOKEN": TOKEN}
        self._tmp = tmp
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        ready = self._tmp / "ready.json"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            agent_command("--port", str(self.port), "--ready-file", str(ready), *self._command),
            env=agent_environment(self._tmp, **self._environment),
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None
            assert time.monotonic() < deadline, "the agent is not ready after 60 s"
            time.sleep(0.02)
        assert json.loads(ready.read_text())["url"] == self.url

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def gateway(ray: RunningAgent) -> Iterator[Gateway]:
    with short_tmp() as tmp:
        gateway = Gateway(ray, tmp)
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.kill()


@dataclass
class RunningTail:
    """A tail in a thread of its own, whose lines can be waited for."""

    url: str
    token: str
    job_id: str
    shell: str
    protocol: Protocol
    timeout: float = 30.0
    lines: list[str] = field(default_factory=list)
    error: ClientError | None = None
    ended: float = 0.0
    reconnects: int = 0
    job_status: str | None = None

    def __enter__(self) -> RunningTail:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the tail does not end"

    def wait_for(self, lines: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.lines) < lines:
            assert self._thread.is_alive(), self.error
            assert time.monotonic() < deadline, f"{len(self.lines)} lines after 60 s"
            time.sleep(0.01)

    def end(self) -> RunningTail:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the tail does not end"
        return self

    def whole(self) -> list[str]:
        if self.error is not None:
            raise self.error
        return self.lines[2:]  # Ray's own come first

    def _run(self) -> None:
        try:
            if self.shell == "sync":
                self._tail()
            else:
                anyio.run(self._tail_async, backend=self.shell)
        except ClientError as exc:
            self.error = exc
        self.ended = time.monotonic()

    def _tail(self) -> None:
        with AgentClient(self.url, self.token, stream_limits=StreamLimits.unlimited()) as client:
            stream = client.tail_job_logs(self.job_id, self.timeout, protocol=self.protocol)
            with stream:
                for line in stream:
                    self.lines.append(line)
            self.reconnects, self.job_status = stream.reconnects, stream.job_status

    async def _tail_async(self) -> None:
        async with AsyncAgentClient(self.url, self.token, stream_limits=StreamLimits.unlimited()) as client:
            stream = client.tail_job_logs(self.job_id, self.timeout, protocol=self.protocol)
            async with stream:
                async for line in stream:
                    self.lines.append(line)
            self.reconnects, self.job_status = stream.reconnects, stream.job_status


CLIENTS: list[tuple[str, Protocol]] = [
    ("sync", "websocket"),
    ("asyncio", "websocket"),
    ("sync", "http"),
    ("trio", "http"),
    ("asyncio", "auto"),
]


@contextmanager
def running_tails(*agents: tuple[str, str], job_id: str, lines: int) -> Iterator[list[RunningTail]]:
    """Tails of one job by every kind of client, each of which got that many lines so far."""
    with ExitStack() as stack:
        tails = [
            stack.enter_context(RunningTail(url, token, job_id, shell, protocol))
            for url, token in agents
            for shell, protocol in CLIENTS
        ]
        for tail in tails:
            tail.wait_for(lines)
        yield tails


def test_an_agent_killed_and_started_again_costs_no_line(agent: RunningAgent) -> None:
    job_id = agent.submit(COUNTS)
    with gateway(agent) as front, running_tails((front.url, TOKEN), job_id=job_id, lines=50) as tails:
        front.kill()
        front.start()
        for tail in tails:
            tail.end()
    for tail in tails:
        assert tail.whole() == LINES, tail
        assert tail.reconnects >= 1, tail
        assert tail.job_status == "SUCCEEDED", tail


def test_a_job_stopped_in_mid_tail_ends_it_with_the_log_whole(agent: RunningAgent) -> None:
    job_id = agent.submit(COUNTS_FOR_EVER)
    with running_tails((agent.url, agent.token), job_id=job_id, lines=20) as tails:
        agent.http.post(f"jobs/{job_id}/stop/").raise_for_status()
    # What the job wrote until it was stopped, and nothing else.
    log = agent.raw_log(job_id).decode().removesuffix("\n").split("\n")
    for tail in tails:
        assert tail.error is None, tail
        assert tail.job_status == "STOPPED", tail
        assert tail.reconnects == 0, tail
        assert tail.lines == log, tail
    assert numbers_of(log) == list(range(len(numbers_of(log))))
    assert len(numbers_of(log)) >= 18


def numbers_of(lines: list[str]) -> list[int]:
    return [int(line) for line in lines if line.isdecimal()]


@pytest.fixture
def doomed() -> Iterator[RunningAgent]:
    """An agent with a Ray of its own, to be killed."""
    with running_agent() as agent:
        yield agent


def kill_ray(agent: RunningAgent) -> None:
    guard = guard_pid(agent)
    children = Path(f"/proc/{guard}/task/{guard}/children").read_text().split()
    for pid in map(int, children):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_the_death_of_ray_is_a_503_within_the_timeout(doomed: RunningAgent) -> None:
    """Of an agent that dies with its Ray, and of one that outlives it."""
    job_id = doomed.submit(COUNTS_FOR_EVER)
    with gateway(doomed) as front:
        agents = (front.url, TOKEN), (doomed.url, doomed.token)
        with running_tails(*agents, job_id=job_id, lines=20) as tails:
            killed = time.monotonic()
            kill_ray(doomed)
    for tail in tails:
        assert numbers_of(tail.lines) == list(range(len(numbers_of(tail.lines)))), tail
        assert tail.error is not None, "a log that is not whole was given out for whole"
        assert tail.error.status_code == 503, tail
        assert tail.url in str(tail.error)
        assert tail.ended - killed < tail.timeout, tail
