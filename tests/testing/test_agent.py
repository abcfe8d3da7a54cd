"""The agent itself: how it comes and goes, what it records, and how code finds it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import httpx
import pytest
from checkout import environment
from tables import each_row

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientConnectionError
from synapse_sdk.testing import FakeAgent, FakeJob

pytestmark = pytest.mark.slow


def test_clients_go_over_no_network() -> None:
    with FakeAgent() as agent:
        assert agent.url == "http://fake-agent/"
        assert agent.client().health_check().status == "ok"
        assert agent._server is not None
        assert agent._server.port is None
        with pytest.raises(RuntimeError, match="does not listen"):
            str(agent.env)


def test_it_listens_where_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeAgent(listen=True) as agent:
        assert agent.serve() == agent.url
        for name, value in agent.env.items():
            monkeypatch.setenv(name, value)
        with AgentClient.from_env() as client:
            assert client.list_jobs() == []
        # Both at once.
        assert agent.client().list_jobs() == []
    assert len(agent.requests) == 2


def test_the_command_line_finds_it(tmp_path: Path) -> None:
    pytest.importorskip("click")
    with FakeAgent(listen=True) as agent:
        agent.add_job("train", status="FAILED", logs=["epoch 1"])
        command = [sys.executable, "-m", "synapse_sdk.cli", "jobs", "logs", "train", "--exit-status"]
        done = subprocess.run(
            command,
            env=environment(XDG_CONFIG_HOME=str(tmp_path), **agent.env),
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout, done.returncode) == ("epoch 1\n", 1), done.stderr


def test_what_was_sent_is_recorded_without_the_tokens() -> None:
    with FakeAgent(token="secret-1") as agent:
        client = agent.client(user_token="secret-2", tenant="secret-3", headers={"X-Trace": "7"})
        client.list_plugin_releases(page_size=5)
        client.update_runtime_policy(max_concurrent_jobs=5)
        agent.add_job("train", status="SUCCEEDED")
        list(client.tail_job_logs("train"))
        listed, updated, tailed = agent.requests
        assert (listed.method, listed.path, dict(listed.query)) == (
            "GET",
            "/plugin_releases/",
            {"page_size": "5"},
        )
        assert listed.json is None
        assert (updated.operation, updated.json) == ("update_runtime_policy", {"max_concurrent_jobs": 5})
        assert tailed.operation == "websocket_tail_job_logs"
        for request in agent.requests:
            assert request.headers["x-trace"] == "7"
            names = ("authorization", "synapse-user", "synapse-tenant")
            assert [request.headers[name] for name in names] == ["***"] * 3
        assert "secret" not in repr([vars(request) for request in agent.requests])
        assert "secret" not in repr(agent)


def test_a_client_closes_its_connections_but_not_the_agent() -> None:
    with FakeAgent() as agent:
        with agent.client() as client:
            client.with_options(timeout=5).list_jobs()
        with pytest.raises(ClientConnectionError):
            client.list_jobs()
        assert agent.client().list_jobs() == []


def test_an_http_client_of_ones_own() -> None:
    with FakeAgent() as agent, httpx.Client(transport=agent.transport()) as http:
        client = AgentClient("http://anywhere/", agent.token, http_client=http)
        assert client.list_jobs() == []


def test_the_environments_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with FakeAgent() as agent:
        assert agent.client().list_jobs() == []


@each_row("backend", ["asyncio", "trio"])
def test_in_async_with_it_closes_the_clients_it_made(backend: str) -> None:
    async def main() -> None:
        async with FakeAgent() as agent:
            client = agent.async_client()
            assert await client.list_jobs() == []
        with pytest.raises(ClientConnectionError):
            await client.list_jobs()

    anyio.run(main, backend=backend)


def test_it_is_not_there_before_and_after() -> None:
    agent = FakeAgent()
    assert repr(agent) == "<FakeAgent not started>"
    with pytest.raises(RuntimeError, match="is not started"):
        agent.client()
    agent.close()
    with FakeAgent() as agent:
        with pytest.raises(RuntimeError, match="started already"):
            agent.start()
        client = agent.client()
    agent.close()
    with pytest.raises(ClientConnectionError):
        client.list_jobs()
    with pytest.raises(RuntimeError, match="is closed"):
        agent.client()


def descriptors_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_it_leaves_no_thread_no_descriptor_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def train(job: FakeJob) -> None:
        while True:
            job.log("on and on")

    def use() -> None:
        with FakeAgent(listen=True) as agent:
            agent.on_run("train", train)
            client = agent.client()
            stream = client.tail_job_logs(client.run_debug_plugin_release("train").job_id)
            next(stream)
            with AgentClient(agent.url, agent.token) as other:
                other.list_jobs()
            stream.close()

    use()
    gc.collect()
    threads, descriptors = threading.active_count(), descriptors_open()
    for _ in range(3):
        use()
    gc.collect()
    assert threading.active_count() <= threads
    assert descriptors_open() <= descriptors
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synapse_sdk.testing._server._JOIN_TIMEOUT", 0.05)
    began, let_go = threading.Event(), threading.Event()

    def script(job: FakeJob) -> None:
        began.set()
        let_go.wait(60)

    agent = FakeAgent()
    agent.start()
    agent.on_run("train", script)
    agent.client().run_debug_plugin_release("train", job_id="stuck")
    assert began.wait(60)  # one that has not begun when the agent is closed doesn't begin
    with pytest.raises(RuntimeError, match="the script of the fake job stuck still runs"):
        agent.close()
    let_go.set()


def test_a_long_temporary_directory_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with FakeAgent() as agent:
        assert agent.client().list_jobs() == []


def test_it_needs_no_pytest() -> None:
    program = (
        "import sys, synapse_sdk.testing; assert 'pytest' not in sys.modules and 'ray' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], env=environment(), check=True)


USERS_TESTS = """
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.testing import FakeAgent

def test_in_process(fake_agent: FakeAgent) -> None:
    job = fake_agent.add_job("train", logs=["one"])
    job.succeed()
    assert list(fake_agent.client().tail_job_logs("train")) == ["one"]

def test_from_the_environment(fake_agent_env: FakeAgent) -> None:
    assert fake_agent_env.requests == []
    with AgentClient.from_env() as client:
        assert client.list_jobs() == []
"""


def test_the_fixtures_work_as_documented(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["synapse_sdk.testing.pytest_plugin"]\n')
    (tmp_path / "test_mine.py").write_text(USERS_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
