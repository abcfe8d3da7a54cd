"""The client tells no difference: the same job, run by the real agent and by the fake, is tailed alike."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import pytest
from running_agent import RunningAgent

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import NotFoundError
from synapse_sdk.testing import FakeJob
from synapse_sdk.utils.network import StreamLimits

Protocol = Literal["auto", "websocket", "http"]

# Lines of each kind there is: blank, wide characters, separators that are none, bare returns, long, unended.
SOURCE = """
lines = ["epoch 1", "", "\\u00e9\\U0001f680 " * 3, "a\\u2028b\\x85c", "50%\\r100%", "x" * 70_000]
for line in lines:
    print(line, flush=True)
    time.sleep(0.05)
print("the end", end="")
"""
LINES = ["epoch 1", "", "é🚀 é🚀 é🚀 ", "a\u2028b\x85c", "50%\r100%", "x" * 70_000, "the end"]
FAILING = "print('before'); raise ValueError('wrong')"
ENDLESS = "while True:\n    print('tick', flush=True)\n    time.sleep(0.05)"

PROTOCOLS = pytest.mark.parametrize("protocol", ["auto", "websocket", "http"])


class Out:
    """A file that writes to a fake job's log."""

    def __init__(self, job: FakeJob) -> None:
        self.write = job.write

    def flush(self) -> None:
        pass


def run_sources(job: FakeJob) -> None:
    """What a real agent does with the module that was sent along, without a process of its own."""
    job.log("a line of Ray's", "another")
    space: dict[str, Any] = {"print": functools.partial(print, file=Out(job))}
    exec(job.request["modules"]["job_main"], space)
    space["main"](job.params)


class Jobs(NamedTuple):
    over: str
    failed: str


@pytest.fixture(scope="module")
def jobs(agent: RunningAgent) -> Jobs:
    if agent.fake is not None:
        agent.fake.on_run("job_main", run_sources)
    jobs = Jobs(agent.submit(SOURCE), agent.submit(FAILING))
    for job_id in jobs:
        agent.wait(job_id)
    return jobs


@pytest.fixture(scope="module")
def client(agent: RunningAgent, jobs: Jobs) -> Iterator[AgentClient]:
    with AgentClient(agent.url, agent.token, timeout={"read": 60}) as client:
        client.stream_limits = StreamLimits(max_message_size=200_000)
        yield client


@PROTOCOLS
def test_a_log_that_is_whole_comes_whole(client: AgentClient, jobs: Jobs, protocol: Protocol) -> None:
    with client.tail_job_logs(jobs.over, protocol=protocol) as stream:
        lines = list(stream)
    assert lines[2:] == LINES
    assert stream.job_status == "SUCCEEDED"
    assert stream.reconnects == 0
    assert stream.protocol == ("http" if protocol == "http" else "websocket")
    assert "\n".join(lines) == client.get_job_logs(jobs.over)
    assert stream.bytes == len(client.get_job_logs(jobs.over).encode())


@PROTOCOLS
def test_a_failed_job_says_so_behind_its_lines(client: AgentClient, jobs: Jobs, protocol: Protocol) -> None:
    with client.tail_job_logs(jobs.failed, protocol=protocol) as stream:
        lines = list(stream)
    assert lines[2] == "before"
    assert lines[-1] == "ValueError: wrong"
    assert stream.job_status == "FAILED"
    job = client.get_job(jobs.failed)
    assert (job.status, job.driver_exit_code) == ("FAILED", 1)


@PROTOCOLS
def test_a_job_is_followed_while_it_runs_until_it_is_stopped(
    agent: RunningAgent, client: AgentClient, protocol: Protocol
) -> None:
    job_id = agent.submit(ENDLESS)
    ticks = 0
    with client.tail_job_logs(job_id, protocol=protocol) as stream:
        for line in stream:
            ticks += line == "tick"
            if ticks == 5:
                assert client.get_job(job_id).status == "RUNNING"
                assert client.stop_job(job_id).stopped is True
    assert ticks >= 5
    assert stream.job_status == "STOPPED"
    assert client.wait_for_job(job_id, timeout=60, poll_interval=0.1).status == "STOPPED"
    assert client.get_job(job_id).driver_exit_code is None
    agent.wait_at_rest(job_id)
    assert client.stop_job(job_id).stopped is False


@PROTOCOLS
def test_there_is_no_such_job(client: AgentClient, protocol: Protocol) -> None:
    with pytest.raises(NotFoundError) as caught:
        list(client.tail_job_logs("none", protocol=protocol))
    assert caught.value.status_code == 404


def test_a_second_run_under_the_same_id_is_refused(agent: RunningAgent, jobs: Jobs) -> None:
    body = {"action": "job_main", "modules": {"job_main": "def main(params): pass"}, "job_id": jobs.over}
    assert agent.http.post("plugin_releases/run_debug/", json=body).status_code == 409
