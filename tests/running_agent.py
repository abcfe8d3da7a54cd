"""One real agent over one real Ray cluster for all tests that need one, started as users start it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from checkout import ROOT, python_path

if TYPE_CHECKING:
    from synapse_sdk.testing import FakeAgent

REQUEST_LINE = re.compile(r"\S+ warning (access|auth): ")

# Releases come from examples/; debug runs may take plugins from the folders of tests.
PLUGIN_OPTIONS = ("--plugins", str(ROOT / "examples" / "plugins"), "--plugin-path", tempfile.gettempdir())

TERMINAL = {"SUCCEEDED", "FAILED", "STOPPED"}


@dataclass
class RunningAgent:
    """A `synapse-agent serve` process that is ready."""

    url: str
    token: str
    pid: int
    # None where somebody else started it.
    process: subprocess.Popen[str] | None
    # The agent's temporary files; short, since Ray's sockets lie below.
    tmp: Path
    http: httpx.Client = field(repr=False)
    # A fake in the place of the process.
    fake: FakeAgent | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.token}

    @property
    def ws_url(self) -> str:
        return self.url.replace("http://", "ws://")

    @property
    def directory(self) -> Path:
        """The temp dir of the embedded Ray."""
        (directory,) = self.tmp.glob("synray-*")
        return directory

    @property
    def stderr(self) -> str:
        """What the agent complained about so far, but for requests that it answered with 5xx or 401."""
        lines = (self.tmp / "stderr").read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not REQUEST_LINE.match(line))

    def log_path(self, job_id: str) -> Path:
        return self.directory / "ray" / "session_latest" / "logs" / f"job-driver-{job_id}.log"

    def raw_log(self, job_id: str) -> bytes:
        return self.log_path(job_id).read_bytes()

    def submit(self, source: str = "", /, **body: Any) -> str:
        """Submit; `source` is the body of a function that is called with the params as `p`."""
        if source:
            lines = "\n".join(f"    {line}" for line in source.strip("\n").split("\n"))
            text = f"import os, sys, time\ndef main(params):\n    p = params\n{lines}\n"
            body = {"action": "job_main", "modules": {"job_main": text}} | body
        body.setdefault("job_id", f"t-{secrets.token_hex(6)}")
        response = self.http.post("plugin_releases/run_debug/", json=body)
        assert response.status_code == 202, response.text
        assert response.json() == {"job_id": body["job_id"], "status": "PENDING"}
        return str(body["job_id"])

    def wait(self, job_id: str, *statuses: str, timeout: float = 60) -> dict[str, Any]:
        """The job once its status is one of these; by default once it is over."""
        wanted = set(statuses) or TERMINAL
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.http.get(f"jobs/{job_id}/").json()
            if job["status"] in wanted:
                return job
            assert job["status"] not in TERMINAL, f"{job}\n{self.http.get(f'jobs/{job_id}/logs/').json()}"
            time.sleep(0.1)
        raise AssertionError(f"{job_id} is not {wanted} after {timeout} s")

    def wait_at_rest(self, job_id: str, timeout: float = 60) -> None:
        """Wait until there is nothing to stop: Ray's process for a job outlives the job's end by a moment."""
        deadline = time.monotonic() + timeout
        while self.http.post(f"jobs/{job_id}/stop/").json() != {"stopped": False}:
            assert time.monotonic() < deadline, f"{job_id} can still be stopped after {timeout} s"
            time.sleep(0.1)

    def run(self, source: str = "", /, **body: Any) -> tuple[dict[str, Any], str]:
        """Run to the end; the job and its log without Ray's own first two lines."""
        job_id = self.submit(source, **body)
        job = self.wait(job_id)
        return job, self.http.get(f"jobs/{job_id}/logs/").json().split("\n", 2)[2]


def descendants(pid: int) -> set[tuple[int, str]]:
    """All processes below `pid`, each with its start time, since ids are reused."""
    found: set[tuple[int, str]] = set()
    todo = [pid]
    while todo:
        parent = todo.pop()
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                ids = [int(child) for child in children.read_text().split()]
            except OSError:
                continue
            todo += ids
            found |= {(child, started) for child in ids if (started := start_time(child))}
    return found


def start_time(pid: int) -> str:
    """Empty if there is no such process, or only what its parent has not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def left_of(processes: set[tuple[int, str]], timeout: float) -> set[tuple[int, str]]:
    """Those still there after `timeout` seconds, or none as soon as there is none."""
    deadline = time.monotonic() + timeout
    while True:
        left = {(pid, started) for pid, started in processes if start_time(pid) == started}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def guard_pid(agent: RunningAgent) -> int:
    return int(Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()[0])


def dashboard(agent: RunningAgent) -> str:
    words = Path(f"/proc/{guard_pid(agent)}/cmdline").read_text().split("\0")
    port = next(word for word in words if word.startswith("--dashboard-port=")).partition("=")[2]
    return f"http://127.0.0.1:{port}"


def ray_token(agent: RunningAgent) -> str:
    words = Path(f"/proc/{guard_pid(agent)}/environ").read_text().split("\0")
    return next(word for word in words if word.startswith("RAY_AUTH_TOKEN=")).partition("=")[2]


def agent_environment(tmp: Path, **more: str) -> dict[str, str]:
    dropped = {"SYNAPSE_AGENT_TOKEN", "RAY_AUTH_TOKEN", "RAY_AUTH_MODE", "RAY_ADDRESS"}
    dropped |= {"SYNAPSE_AGENT_DATA", "SYNAPSE_PLUGINS"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    ours = python_path() | {"TMPDIR": str(tmp), "PYTHONUNBUFFERED": "1", "NOT_FOR_JOBS": "own-secret"}
    return environment | ours | {"XDG_STATE_HOME": str(tmp / "state")} | more


def agent_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "synapse_agent", "serve", *arguments]


@contextmanager
def short_tmp() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="e2e-", dir="/tmp"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def documented(response: httpx.Response) -> None:
    """Whatever a test is about: what a real agent answers to a success is what the spec has."""
    path = response.request.url.path
    if response.is_success and "/logs/" not in path:  # logs may be large, or have no end
        from contract.agent_spec import check_answer

        response.read()
        check_answer(response)


def client_of(url: str, token: str) -> httpx.Client:
    headers = {"Authorization": token, "Accept": "text/event-stream, */*"}
    return httpx.Client(base_url=url, headers=headers, timeout=60, event_hooks={"response": [documented]})


@contextmanager
def running_agent(*arguments: str, **environment: str) -> Iterator[RunningAgent]:
    """Start an agent on a free port and wait until it is ready; stop it at the end if it still runs."""
    with short_tmp() as tmp:
        ready = tmp / "ready.json"
        with (tmp / "stderr").open("w") as stderr:
            process = subprocess.Popen(
                agent_command("--port", "0", "--ready-file", str(ready), *arguments),
                env=agent_environment(tmp, **environment),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        try:
            deadline = time.monotonic() + 180  # the agent itself gives Ray 90 s
            while not ready.exists():
                assert process.poll() is None, (tmp / "stderr").read_text()
                assert time.monotonic() < deadline, "the agent is not ready after 180 s"
                time.sleep(0.05)
            told = json.loads(ready.read_text())
            with client_of(told["url"], told["token"]) as http:
                yield RunningAgent(told["url"], told["token"], told["pid"], process, tmp, http)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                # What a session of jobs leaves, on a busy machine.
                process.wait(60)
            finally:
                process.kill()
                assert process.stdout is not None
                process.stdout.close()


@contextmanager
def attached_agent(ready_file: Path) -> Iterator[RunningAgent]:
    """An agent that somebody else started and stops."""
    told = json.loads(ready_file.read_text())
    with client_of(told["url"], told["token"]) as http:
        yield RunningAgent(told["url"], told["token"], told["pid"], None, ready_file.parent, http)


@pytest.fixture(scope="session")
def real_agent() -> Iterator[RunningAgent]:
    """The agent of the session; it lets any number of jobs in, and has the plugins of examples/.

    SYNAPSE_TEST_AGENT may name the ready file of an agent that runs already (tools/spec/mutate.py).
    """
    if ready_file := os.environ.get("SYNAPSE_TEST_AGENT"):
        with attached_agent(Path(ready_file)) as agent:
            yield agent
        return
    with running_agent(*PLUGIN_OPTIONS) as agent:
        assert agent.http.patch("resources/policy/", json={"max_concurrent_jobs": 0}).status_code == 200
        yield agent
        # Whatever the tests did, the agent had no trouble of its own.
        assert agent.stderr == "Starting Ray ...\n"


@pytest.fixture(scope="session")
def agent(real_agent: RunningAgent) -> RunningAgent:
    """The same, by a name that the contract tests give to the fake one as well."""
    return real_agent


@pytest.fixture(scope="session")
def start_agent() -> Callable[..., Any]:
    return running_agent
