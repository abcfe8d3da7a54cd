"""Parts of logs, times of lines and pages of jobs on the command line, of a fake agent."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from tables import each_row

from synapse_sdk.testing import FakeAgent, FakeJob

LINES = [f"line {number}" for number in range(1, 2001)]


@pytest.fixture(params=[True, False], ids=["new agent", "old agent"])
def agent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAgent]:
    with FakeAgent(listen=True, windows=request.param) as agent:
        for name, value in agent.env.items():
            monkeypatch.setenv(name, value)
        yield agent


@pytest.fixture
def job(agent: FakeAgent) -> FakeJob:
    return agent.add_job("train", logs=LINES)


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.usefixtures("job")
def test_the_last_lines(synapse: Any, agent: FakeAgent) -> None:
    result = synapse("jobs", "logs", "train", "-n", "3")
    assert (result.code, result.out, result.err) == (0, text(LINES[-3:]), "")
    assert [request.query for request in agent.requests] == [{"tail": "3"}]


def test_the_last_lines_and_then_what_is_new(synapse: Any, job: FakeJob, agent: FakeAgent) -> None:
    job.succeed()
    result = synapse("jobs", "logs", "train", "-f", "-q", "-n", "3")
    assert (result.code, result.out) == (0, text(LINES[-3:]))
    operations = [request.operation for request in agent.requests]
    # An older agent has to send its log once, to be counted, before it streams.
    assert operations.count("get_job_logs") == (0 if agent.windows else 1)


@pytest.mark.usefixtures("job")
def test_the_last_lines_that_match(synapse: Any) -> None:
    result = synapse("jobs", "logs", "train", "-n", "2", "--grep", "7$")
    assert result.out == text(["line 1987", "line 1997"])


def test_interrupted_it_goes_on_at_the_very_line(child: Any, synapse: Any, job: FakeJob) -> None:
    process = child("jobs", "logs", "train", "-f", "-q", "-n", "2")
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["line 1999\n", "line 2000\n"]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    position = re.search(r"synapse jobs logs train --follow --position (\d+)", err)
    assert position is not None, err
    assert int(position[1]) == len(text(LINES))
    job.log("new")
    job.succeed()
    assert synapse("jobs", "logs", "train", "-f", "-q", "--position", position[1]).out == "new\n"
    assert synapse("jobs", "logs", "train", "--position", position[1]).out == "new\n"
    assert synapse("jobs", "logs", "train", "other", "--position", position[1]).code == 2


def test_times_are_the_agents_where_it_tells_them(child: Any, job: FakeJob, agent: FakeAgent) -> None:
    process = child("jobs", "logs", "train", "-f", "-n", "1", "--timestamps", "--json")
    assert process.stdout is not None
    before = json.loads(process.stdout.readline())
    assert before["time_from"] == "client"
    job.log("live")
    written = time.time()
    live = json.loads(process.stdout.readline())
    job.succeed()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert live["time_from"] == ("agent" if agent.windows else "client")
    assert abs(datetime.fromisoformat(live["time"]).timestamp() - written) < 60
    assert f"sent no time for {1 if agent.windows else 2} lines" in err


def test_since(child: Any, job: FakeJob, agent: FakeAgent) -> None:
    process = child("jobs", "logs", "train", "-f", "-n", "1", "--since", "2199-01-01T00:00:00Z")
    assert process.stdout is not None
    assert process.stdout.readline() == "line 2000\n"  # nobody knows when that was read
    job.log("live")
    job.succeed()
    out, err = process.communicate(timeout=20)
    assert out == ("" if agent.windows else "live\n")
    assert "sent no time" in err


@each_row("options", [["--since", "10m"], ["-f", "--since", "yesterday"], ["-f", "--since", "m"]])
@pytest.mark.usefixtures("job")
def test_since_that_can_not_be(synapse: Any, options: list[str]) -> None:
    result = synapse("jobs", "logs", "train", *options)
    assert (result.code, result.out) == (2, "")
    assert "--since" in result.err or "is not a time" in result.err


def test_jobs_in_pages(synapse: Any, agent: FakeAgent) -> None:
    for number in range(2300):
        status = "FAILED" if number % 100 == 0 else "RUNNING"
        agent.add_job(f"job-{number}", status=status, extra={"metadata": {"team": f"t{number % 2}"}})

    def listed(*options: str) -> list[str]:
        result = synapse("jobs", "list", "--json", *options)
        assert result.code == 0
        return [job["submission_id"] for job in json.loads(result.out)]

    assert len(listed()) == 2300
    # One page is enough, of an agent that has pages.
    before = len(agent.requests)
    assert len(listed("-n", "5", "-s", "failed")) == 5
    assert len(agent.requests) == before + 1
    assert len(listed("-s", "FAILED")) == 23
    assert len(listed("-s", "FAILED", "-m", "team=t0")) == 23
    assert listed("-s", "FAILED", "-m", "team=t1") == []
    assert len(listed("-m", "team", "-n", "7")) == 7
    assert listed("-s", "LOST") == []


def test_jobs_are_deleted(synapse: Any, job: FakeJob, agent: FakeAgent) -> None:
    assert synapse("jobs", "delete", "train").code == 2  # nobody is there to be asked
    refused = synapse("jobs", "delete", "train", "--yes")
    assert refused.code == 1
    assert "stop it" in refused.err
    job.succeed()
    agent.add_job("other", status="FAILED")
    done = synapse("jobs", "delete", "train", "other", "--yes")
    assert (done.code, done.out) == (0, "")
    assert "job train is deleted" in done.err
    assert not agent.jobs
