"""The client in a process that lacks threads, a home, open streams, or that is ending."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from checkout import environment
from tables import each_row

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ServerError
from synapse_sdk.long_poll.worker import Worker
from synapse_sdk.testing import FakeAgent

pytestmark = pytest.mark.slow

CALLS = """
import asyncio, atexit, os, sys
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError

said = os.fdopen(os.dup(int(sys.argv[1])), "w", encoding="utf-8")

def attempt(work):
    try:
        print(work(), file=said, flush=True)
    except ClientError as error:
        print(error.detail, file=said, flush=True)

async def get():
    async with AsyncAgentClient.from_env() as client:
        return (await client.get_job("j")).status

async def tail(protocol):
    async with AsyncAgentClient.from_env() as client, client.tail_job_logs("j", protocol=protocol) as stream:
        return [line async for line in stream]

def calls():
    client = AgentClient.from_env()
    attempt(lambda: client.get_job("j").status)
    attempt(lambda: asyncio.run(get()))
    for protocol in ("websocket", "http"):
        attempt(lambda: list(client.tail_job_logs("j", protocol=protocol)))
        attempt(lambda: asyncio.run(tail(protocol)))
    attempt(lambda: list(client.tail_many(["j"])))
"""
LINES = "['one', 'zwei ä']"
ANSWERS = ["SUCCEEDED", "SUCCEEDED", LINES, LINES, LINES, LINES]
MANY = "[('j', 'one'), ('j', 'zwei ä')]"

# A reader that ends with the streams' lock in its hands, as those do that Python stops when it ends.
FORGOTTEN = """
import threading
from synapse_sdk.clients.agent import AgentClient

stream = AgentClient.from_env().tail_many(["j"])
reader = threading.Thread(target=stream._readers.enter)
reader.start()
reader.join()
"""


# Signals come so fast that their handler is interrupted by the next, at any place.
WORKER = """
import logging, signal
from synapse_sdk.long_poll.worker import Worker

logging.disable()
worker = Worker("redis://127.0.0.1:1/0", "agent-7", "http://127.0.0.1:1/", threads=1)
signal.signal(signal.SIGALRM, lambda *_: worker.stop())
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.00001)
worker.run()
signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
"""


@pytest.fixture(scope="module")
def agent() -> Iterator[FakeAgent]:
    with FakeAgent(listen=True) as agent:
        agent.add_job("j", status="SUCCEEDED", logs=["one", "zwei ä"])
        yield agent


def run(
    agent: FakeAgent, code: str, *before: str, redirections: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program that may write to descriptor 9."""
    variables = environment(SYNAPSE_AGENT_URL=agent.url, SYNAPSE_AGENT_TOKEN=agent.token)
    variables.pop("HOME", None)
    return subprocess.run(
        ["sh", "-c", f'exec "$@" 9>&1 {redirections}', "-", *before, sys.executable, "-c", code, "9"],
        env=variables,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_while_the_interpreter_shuts_down(agent: FakeAgent) -> None:
    done = run(agent, CALLS + "atexit.register(calls)")
    *answers, many = done.stdout.split("\n")[:-1]
    assert answers == ANSWERS
    # Since Python 3.12 no thread can be started any more.
    assert many == MANY or many.startswith("the interpreter is shutting down: can't create new thread")
    assert done.stderr == ""


def test_a_forgotten_stream_lets_the_program_end(agent: FakeAgent) -> None:
    assert run(agent, FORGOTTEN).returncode == 0


@each_row("redirections", ["<&- >&- 2>&-", ">/dev/full 2>&1", "2>&-"])
def test_standard_streams_that_are_closed_or_full(agent: FakeAgent, redirections: str) -> None:
    done = run(agent, CALLS + "calls()", redirections=redirections)
    assert done.stdout.split("\n") == [*ANSWERS, MANY, ""]
    assert done.returncode == 0


def test_without_a_home_and_a_locale(agent: FakeAgent) -> None:
    nobody = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
    if shutil.which("unshare") is None or subprocess.run([*nobody, "true"]).returncode:
        pytest.skip("this system has no user namespaces")
    plain = ["env", "LC_ALL=C", "PYTHONCOERCECLOCALE=0", "PYTHONUTF8=0"]
    done = run(agent, CALLS + "calls()", *nobody, *plain)
    assert done.stdout.split("\n") == [*ANSWERS, MANY, ""]
    assert done.stderr == ""


def test_where_no_more_threads_can_be_started(agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def refuse(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        start(thread)
        started.append(thread)

    agent.add_job("k", status="SUCCEEDED", logs=["one"])
    with AgentClient(agent.url, agent.token) as client:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ServerError, match=r"can't start new thread.*limit of processes") as caught:
            next(client.tail_many(["j", "k"]))
        assert isinstance(caught.value.__cause__, RuntimeError)
        # The threads that could be started have ended, and a single tail needs none.
        assert not any(thread.is_alive() for thread in started)

        def refuse_at_all(*_: object) -> int:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("_thread.start_new_thread", refuse_at_all)
        assert list(client.tail_job_logs("j")) == ["one", "zwei ä"]


def test_a_long_poll_worker_without_its_threads_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    worker = Worker("redis://127.0.0.1:1/0", "agent-7", "http://127.0.0.1:1/", threads=2)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ServerError, match="can't start new thread"):
        worker.run()


def test_a_long_poll_worker_stops_whatever_a_signal_interrupts(agent: FakeAgent) -> None:
    done = run(agent, WORKER)
    assert (done.returncode, done.stderr) == (0, "")
