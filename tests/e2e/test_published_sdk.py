"""The published `synapse-sdk`, an implementation that knows nothing of ours, works with our agent.

It has our package's name, so it lives in an environment of its own, under `.cache/`, and runs as a program of
its own that prints what it got.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from checkout import environment
from registry import clean_environment, pip_install

from synapse_sdk.clients.agent import AgentClient

PUBLISHED = "synapse-sdk==2026.2.17"
ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "published-sdk"

# It drops blank lines and lines of more than 10 240 bytes, so the log has none.
LINES = [f"line {number}: größer, 日本語, {'x' * (number % 97)}" for number in range(1, 1001)]

PLUGIN = {
    "talker": """
import sys, time

def main(params):
    sys.stdout.reconfigure(encoding="utf-8")
    for number in range(1, params["lines"] + 1):
        print(f"line {number}: größer, 日本語, {'x' * (number % 97)}", flush=number % 100 == 0)
        if number % 100 == 0:
            time.sleep(0.1)

def wait(params):
    print("waiting", flush=True)
    time.sleep(600)
"""
}
CONFIG = {
    "code": "published",
    "version": "1.0.0",
    "actions": {
        "talk": {"entrypoint": "talker:main", "method": "job"},
        "wait": {"entrypoint": "talker:wait", "method": "job"},
    },
}

PROGRAM = """
import json, os, sys
from synapse_sdk.clients.agent import AgentClient

talking, waiting = sys.argv[1:]
client = AgentClient(os.environ["AGENT_URL"], os.environ["AGENT_TOKEN"])
got = {"health": client.health_check()}
got["websocket"] = list(client.tail_job_logs(talking, protocol="websocket"))
got["http"] = list(client.tail_job_logs(talking, protocol="http"))
got["auto"] = list(client.tail_job_logs(talking))
got["job"] = client.get_job(talking)
got["logs"] = client.get_job_logs(talking)
got["stopped"] = client.stop_job(waiting)
got["jobs"] = client.list_jobs()
got["nodes"] = client.list_nodes()
got["tasks"] = client.list_tasks()
json.dump(got, sys.stdout)
"""

SURFACE = """
import inspect, json, sys
from synapse_sdk.clients import exceptions
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

def parameters(function):
    found = list(inspect.signature(function).parameters.values())[1:]
    return [[one.name, one.kind.name, repr(one.default)] for one in found]

surface = {"errors": [name for name in exceptions.__all__]}
for client in (AgentClient, AsyncAgentClient):
    members = {name: member for name, member in inspect.getmembers(client) if not name.startswith("_")}
    surface[client.__name__] = {
        name: parameters(member) if inspect.isfunction(member) else None for name, member in members.items()
    }
json.dump(surface, sys.stdout)
"""

pytestmark = pytest.mark.ray


class Agent(Protocol):
    url: str
    token: str
    pid: int


def pythons() -> Iterator[str]:
    """Where a Python of 3.12 or newer may be; whether it runs is found out by running it."""
    versions = ("3.12", "3.13", "3.14")
    yield from (f"python{version}" for version in versions)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from itertools.chain.from_iterable(
        (str(path) for path in sorted(root.glob(f"{version}.*/bin/python"))) for version in versions
    )
    yield "python3"


def new_enough(python: str) -> str | None:
    """The path of a Python that can make the environment, or None."""
    program = "import ensurepip, sys; print(sys.executable) if sys.version_info >= (3, 12) else sys.exit(1)"
    try:
        done = subprocess.run(
            [python, "-I", "-c", program],
            env=clean_environment(),
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@pytest.fixture(scope="module")
def published() -> Path:
    """The Python of an environment that has the published SDK, made once and kept."""
    python = CACHE / "bin" / "python"
    made = CACHE / "made"
    if made.exists() and made.read_text() == PUBLISHED and new_enough(str(python)):
        return python
    base = next(filter(None, map(new_enough, pythons())), None)
    if base is None:
        pytest.skip("the published SDK needs Python 3.12 or newer with venv, and none was found")
    subprocess.run(
        [base, "-I", "-m", venv.__name__, "--clear", str(CACHE)], env=clean_environment(), check=True
    )
    # Half a gigabyte that is run once is not worth compiling.
    pip_install(python, "--no-compile", PUBLISHED)
    made.write_text(PUBLISHED)
    return python


@pytest.fixture(scope="module")
def got(published: Path, agent: Agent) -> dict[str, Any]:
    """What the published SDK got from the agent; it tails a job that is being run."""
    with AgentClient(agent.url, agent.token) as client:
        jobs = [
            client.run_debug_plugin_release(action, {"lines": len(LINES)}, config=CONFIG, modules=PLUGIN)
            for action in ("talk", "wait")
        ]
        ids = [job["job_id"] for job in jobs]
        try:
            done = subprocess.run(
                [str(published), "-I", "-c", PROGRAM, *ids],
                env=clean_environment() | {"AGENT_URL": agent.url, "AGENT_TOKEN": agent.token},
                check=False,
                capture_output=True,
                text=True,
                timeout=120,
            )
        finally:
            client.stop_job(ids[1])
        log = client.get_job_logs(ids[0])
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers | {"talking": ids[0], "waiting": ids[1], "log": log}


@pytest.mark.parametrize("protocol", ["websocket", "http", "auto"])
def test_tail_is_equal_line_for_line(got: dict[str, Any], protocol: str) -> None:
    # Ray writes a line or two of its own before the job's.
    assert got[protocol][-len(LINES) :] == LINES
    assert got[protocol] == got["log"].removesuffix("\n").split("\n")


def test_log_as_a_whole(got: dict[str, Any]) -> None:
    assert got["logs"] == got["log"]


def test_health(got: dict[str, Any]) -> None:
    assert isinstance(got["health"], dict)


def test_jobs(got: dict[str, Any]) -> None:
    assert got["job"]["submission_id"] == got["talking"]
    assert got["job"]["status"] == "SUCCEEDED"
    assert {got["talking"], got["waiting"]} <= {job["submission_id"] for job in got["jobs"]}


def test_stop(got: dict[str, Any]) -> None:
    assert got["stopped"]["stopped"] is True


def test_nodes_and_tasks(got: dict[str, Any]) -> None:
    assert [node["state"] for node in got["nodes"] if node["is_head_node"]] == ["ALIVE"]
    assert isinstance(got["tasks"], list)


def surface_of(python: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, *(["-I"] if python != sys.executable else []), "-W", "ignore", "-c", SURFACE],
        env=clean_environment() if python != sys.executable else environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    surface: dict[str, Any] = json.loads(done.stdout)
    return surface


def takes_the_same(theirs: list[list[str]] | None, ours: list[list[str]] | None) -> bool:
    """Whether a call that suits theirs means the same to ours, which may take more."""
    if theirs is None or ours is None:
        return theirs == ours
    here = {name: (number, kind, default) for number, (name, kind, default) in enumerate(ours)}
    for number, (name, kind, default) in enumerate(theirs):
        if name not in here:
            return False
        place, our_kind, our_default = here[name]
        if kind == "POSITIONAL_OR_KEYWORD" and (our_kind != kind or place != number):
            return False
        if default != "<class 'inspect._empty'>" and float_or(default) != float_or(our_default):
            return False
    return True


def float_or(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def test_the_page_for_those_who_come_from_it_names_every_difference(published: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "from-published-sdk.md").read_text()
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    theirs, ours = surface_of(str(published)), surface_of(sys.executable)
    different = set(theirs["errors"]) ^ set(ours["errors"])
    for client in ("AgentClient", "AsyncAgentClient"):
        different |= {
            name
            for name, parameters in theirs[client].items()
            if name not in ours[client] or not takes_the_same(parameters, ours[client][name])
        }
    # For what only the sync one had before, the error says what to use.
    different |= set(ours["AgentClient"]) - set(theirs["AgentClient"])
    assert len(different) > 15
    assert sorted(different - named) == []
