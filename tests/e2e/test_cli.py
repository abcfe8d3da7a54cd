"""The `synapse` command in a terminal and in pipes, against a real agent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import environment
from cli.terminal import Terminal

pytestmark = pytest.mark.ray

COMMAND = [sys.executable, "-m", "synapse_sdk.cli"]
PLUGIN = """
import os, sys, time
def main(params):
    for number in range(params["lines"]):
        print(f"line {number}", flush=True)
        time.sleep(params.get("pause", 0))
    print("\\x1b[2J\\x1b]52;c;aGk=\\x07wicked")
    sys.exit(params.get("code", 0))
"""


@pytest.fixture(autouse=True)
def point_at_agent(agent: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNAPSE_AGENT_URL", agent.url)
    monkeypatch.setenv("SYNAPSE_AGENT_TOKEN", agent.token)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    path = tmp_path / "counting.py"
    path.write_text(PLUGIN)
    return str(path)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str, **options: Any) -> Terminal:
        started.append(Terminal([*COMMAND, *arguments], **options))
        return started[-1]

    yield start
    for one in started:
        one.__exit__()


def synapse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=environment(), check=False, capture_output=True, text=True, timeout=90
    )


def test_a_run_in_a_terminal_from_start_to_end(terminal: Any, plugin: str) -> None:
    screen = terminal(
        "plugins", "run-debug", "counting", "--module", plugin, "-p", "lines=3", "-p", "pause=0.2"
    )
    assert screen.exit_code(90) == 0, screen.text
    assert re.search(r"line 0\nline 1\nline 2\n\^\[\[2J\^\[\]52;c;aGk=\^Gwicked\n", screen.text)
    assert re.search(r"job \S+ SUCCEEDED after [\dm.]+s", screen.text)
    assert b"PENDING" in screen.raw
    assert b"\x1b]52" not in screen.raw


def test_a_run_that_fails_and_what_can_be_asked_of_it(plugin: str) -> None:
    run = synapse(
        "plugins", "run-debug", "counting", "-m", plugin, "--params", '{"lines": 2, "code": 7}', "--json"
    )
    objects = [json.loads(line) for line in run.stdout.splitlines()]
    job_id = objects[0]["job_id"]
    assert run.returncode == 1
    assert [value["line"] for value in objects[1:-1]][-3:-1] == ["line 0", "line 1"]
    assert (objects[-1]["job_id"], objects[-1]["status"]) == (job_id, "FAILED")

    job = json.loads(synapse("jobs", "get", job_id, "--json").stdout)
    assert (job["status"], job["driver_exit_code"]) == ("FAILED", 7)
    assert synapse("jobs", "wait", job_id).returncode == 1
    assert synapse("jobs", "logs", job_id, "-n", "3", "--grep", "^line").stdout == "line 0\nline 1\n"
    assert synapse("jobs", "logs", job_id, "-f", "--exit-status").returncode == 1
    assert job_id in synapse("jobs", "list", "--status", "FAILED").stdout


def test_following_several_jobs_stopping_them_and_waiting(terminal: Any, plugin: str) -> None:
    ids = [
        synapse(
            "plugins",
            "run-debug",
            "counting",
            "-m",
            plugin,
            "-p",
            "lines=10000",
            "-p",
            "pause=0.1",
            "-d",
            "-q",
        ).stdout.strip()
        for _ in range(2)
    ]
    watch = terminal("jobs", "list", "--watch", "--interval", "0.3", columns=140)
    watch.wait_until(lambda: all(re.search(rf"{job_id} +RUNNING", watch.text) for job_id in ids))
    logs = terminal("jobs", "logs", *ids, "-f", "-n", "2", "--exit-status", columns=140)
    logs.wait_until(lambda: all(re.search(rf"{job_id} +\| line \d+", logs.text) for job_id in ids))

    stopped = synapse("jobs", "stop", *ids, "--wait")
    assert stopped.returncode == 0, stopped.stderr
    assert logs.exit_code(30) == 1
    for job_id in ids:
        assert f"job {job_id} STOPPED" in logs.text
    watch.wait_until(lambda: all(re.search(rf"{job_id} +STOPPED", watch.text) for job_id in ids))
    watch.interrupt()
    assert watch.exit_code() == 130


def test_everything_else_answers(agent: Any) -> None:
    assert "ok" in synapse("health").stdout
    node = json.loads(synapse("nodes", "list", "--json").stdout)[0]["node_id"]
    assert node in synapse("nodes", "list").stdout
    assert node in synapse("nodes", "get", node).stdout
    for command in (
        ("tasks", "list"),
        ("serve", "list"),
        ("resources", "show"),
        ("resources", "policy"),
        ("resources", "check"),
    ):
        done = synapse(*command, "--json")
        assert (done.returncode, done.stderr) == (0, ""), command
        json.loads(done.stdout)
    assert synapse("jobs", "get", "no-such-job").returncode == 1
    refused = synapse("--token", "wrong-token", "jobs", "list")
    assert refused.returncode == 1
    assert "synapse login" in refused.stderr


def test_login_and_then_no_more_options(agent: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNAPSE_AGENT_URL")
    monkeypatch.delenv("SYNAPSE_AGENT_TOKEN")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    screen = terminal("login")
    screen.wait_for("The agent's URL")
    screen.type(f"{agent.url}\n")
    screen.wait_for("Its token")
    screen.wait_for_hidden_typing()
    screen.type(f"{agent.token}\n")
    assert screen.exit_code() == 0, screen.text
    assert synapse("health").returncode == 0
