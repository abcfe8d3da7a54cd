"""Log tails of real Ray jobs, by the real clients through the real agent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import anyio
import pytest

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import NotFoundError, StreamLimitExceededError
from synapse_sdk.utils.network import StreamLimits

pytestmark = pytest.mark.ray

PROTOCOLS = ["websocket", "http", "auto"]
COUNT = 50_000
LINES = [f"{n:05d} " + "é🚀"[n % 2] * (n % 7) + "x" * (n % 113) for n in range(COUNT)]
MANY_LINES = f"""
def run(params):
    for n in range({COUNT}):
        print(f"{{n:05d}} " + "\\u00e9\\U0001f680"[n % 2] * (n % 7) + "x" * (n % 113))
"""
LIVE = """
import time
def run(params):
    for n in range(5):
        print("tick", n, flush=True)
        time.sleep(0.5)
"""

Protocol = Literal["websocket", "http", "auto"]


@pytest.fixture(scope="module")
def client(agent: Any) -> Iterator[AgentClient]:
    with AgentClient(agent.url, agent.token, timeout={"read": 60}) as client:
        client.stream_limits = StreamLimits.unlimited()
        yield client


def start(client: AgentClient, source: str) -> str:
    accepted = client.run_debug_plugin_release("run", {}, modules={"action": source}, config=config())
    return str(accepted["job_id"])


def config() -> dict[str, Any]:
    return {"actions": {"run": {"entrypoint": "action:run", "method": "job"}}}


@pytest.fixture(scope="module")
def many_lines(client: AgentClient) -> str:
    """A job that wrote 50 000 lines."""
    job_id = start(client, MANY_LINES)
    for _line in client.tail_job_logs(job_id):
        pass
    return job_id


def own(lines: list[str]) -> list[str]:
    """The lines of the job, less what Ray writes before them."""
    for index, line in enumerate(lines):
        if line == LINES[0]:
            return lines[index:]
    return lines


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_50_000_lines_arrive_equal(client: AgentClient, many_lines: str, protocol: Protocol) -> None:
    with client.tail_job_logs(many_lines, protocol=protocol) as stream:
        assert own(list(stream)) == LINES
    assert stream.job_status == "SUCCEEDED"
    assert stream.reconnects == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_50_000_lines_arrive_equal_async(
    agent: Any, many_lines: str, backend: str, protocol: Protocol
) -> None:
    async def run() -> list[str]:
        async with (
            AsyncAgentClient(agent.url, agent.token, stream_limits=StreamLimits.unlimited()) as client,
            client.tail_job_logs(many_lines, protocol=protocol) as stream,
        ):
            return [line async for line in stream]

    assert own(anyio.run(run, backend=backend)) == LINES


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_lines_come_as_they_are_written(client: AgentClient, protocol: Protocol) -> None:
    times = []
    with client.tail_job_logs(start(client, LIVE), protocol=protocol) as stream:
        for line in stream:
            if line.startswith("tick"):
                times.append(time.monotonic())
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 5
    # Written half a second apart; had they come together, the gaps would be next to nothing.
    assert max(gaps) > 0.25
    assert sum(gaps) > 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unknown_job(client: AgentClient, protocol: Protocol) -> None:
    with pytest.raises(NotFoundError):
        next(client.tail_job_logs("no-such-job", protocol=protocol))


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_limit_delivers_its_allowance(client: AgentClient, many_lines: str, protocol: Protocol) -> None:
    before = client.stream_limits
    client.stream_limits = StreamLimits(max_lines=100, max_messages=100)
    try:
        stream = client.tail_job_logs(many_lines, protocol=protocol)
    finally:
        client.stream_limits = before
    lines = [next(stream) for _ in range(100)]
    with pytest.raises(StreamLimitExceededError):
        next(stream)
    assert len(lines) == stream.lines == 100


def test_the_whole_log_is_what_was_tailed(client: AgentClient, many_lines: str) -> None:
    assert own(client.get_job_logs(many_lines).splitlines()) == LINES


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stream_begins_where_it_is_told(client: AgentClient, many_lines: str, protocol: Protocol) -> None:
    with client.tail_job_logs(many_lines, protocol=protocol, tail=3) as stream:
        assert list(stream) == LINES[-3:]
        end = stream.position
        assert end is not None
        assert stream.start == end - sum(len(line.encode()) + 1 for line in LINES[-3:])
    assert list(client.tail_job_logs(many_lines, protocol=protocol, start="end")) == []
    with client.tail_job_logs(many_lines, protocol=protocol, start=stream.start - 10_000) as stream:
        for line in stream:
            if line == LINES[-5]:
                break
        left = list(client.tail_job_logs(many_lines, protocol=protocol, start=stream.position or 0))
    assert left == LINES[-4:]


def test_a_window_is_the_same_as_of_the_whole_log(client: AgentClient, many_lines: str) -> None:
    whole = client.get_job_logs(many_lines).encode()
    answers = client.with_raw_response
    for window in ({"tail": 10}, {"offset": 1000, "limit_bytes": 5000}, {"tail": 10, "limit_bytes": 77}):
        answer = answers.get_job_logs(many_lines, **window)
        begin, end = (int(answer.headers[f"Synapse-Log-{name}"]) for name in ("Offset", "Next"))
        assert answer.parsed == whole[begin:end].decode()
        assert len(answer.content) < 20_000


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_lines_that_the_agent_read_live_have_a_time(client: AgentClient, protocol: Protocol) -> None:
    began = time.time()
    job_id = start(client, LIVE)
    times = []
    with client.tail_job_logs(job_id, protocol=protocol) as stream:
        for line in stream:
            if line.startswith("tick"):
                times.append(stream.time)
    assert len(times) == 5
    # The last ones at least: it may have joined after the first.
    assert all(known is not None and began < known <= time.time() for known in times[2:])
