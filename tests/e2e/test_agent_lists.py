"""Lists of the agent, and its requests below a path prefix, in front of a dashboard without a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from contract.agent_spec import OPERATIONS
from running_agent import RunningAgent, running_agent
from tables import each_row

from synapse_sdk.clients.agent import AgentClient

from .fake_dashboard import Dashboard, add_job, dashboard_at

PREFIX = "/clusters/a%2Fb/ray"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[RunningAgent, Dashboard]]:
    with (
        dashboard_at(PREFIX) as dashboard,
        running_agent("--ray", f"{dashboard.url}/", RAY_AUTH_TOKEN="ray-token") as agent,
    ):
        yield agent, dashboard


@pytest.fixture
def agent(pair: tuple[RunningAgent, Dashboard]) -> RunningAgent:
    return pair[0]


@pytest.fixture
def dashboard(pair: tuple[RunningAgent, Dashboard]) -> Iterator[Dashboard]:
    yield pair[1]
    pair[1].jobs.clear()
    pair[1].tasks.clear()
    pair[1].requests.clear()


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [job["submission_id"] or job["job_id"] for job in response.json()]


def some_jobs(dashboard: Dashboard) -> None:
    for number in range(1, 8):
        # Some in the same millisecond, and not in Ray's order.
        add_job(
            dashboard,
            f"job-{number * 5 % 8}",
            number // 2,
            status="FAILED" if number % 3 == 0 else "RUNNING",
            metadata={"team": "vision" if number % 2 else "speech", "note": "a=b"} if number < 7 else None,
        )
    add_job(dashboard, "driver", 9, type="DRIVER", job_id="01000000", submission_id=None)
    add_job(dashboard, "ghost", None)
    add_job(dashboard, "internal", 9, metadata={"synapse_agent_internal": "1"})


def test_pages_are_the_list_in_parts(agent: RunningAgent, dashboard: Dashboard) -> None:
    some_jobs(dashboard)
    whole = agent.http.get("jobs/")
    assert "Synapse-Next-Cursor" not in whole.headers
    assert ids(whole)[0] == "01000000"
    assert len(ids(whole)) == 8
    for limit in (1, 2, 3, 8, 100):
        found: list[str] = []
        parameters: dict[str, Any] = {"limit": limit}
        while True:
            page = agent.http.get("jobs/", params=parameters)
            found += ids(page)
            assert len(ids(page)) <= limit
            if "Synapse-Next-Cursor" not in page.headers:
                break
            parameters["cursor"] = page.headers["Synapse-Next-Cursor"]
        assert found == ids(whole)


def test_a_walk_has_ray_list_its_jobs_once(agent: RunningAgent, dashboard: Dashboard) -> None:
    for number in range(1000):
        add_job(dashboard, f"job-{number}", number)
    with AgentClient(agent.url, agent.token) as client:
        found = [job.submission_id for job in client.iter_jobs(page_size=10)]
    assert found == [f"job-{number}" for number in reversed(range(1000))]
    # Ten seconds may pass on a busy machine.
    assert len(dashboard.paths()) < 10


@each_row(
    ("query", "numbers"),
    [
        ("status=FAILED", [6, 3]),
        ("status=STOPPED", []),
        ("metadata=team%3Dvision", [5, 3, 1]),
        ("metadata=team&status=RUNNING", [5, 4, 2, 1]),
        ("metadata=note%3Da%3Db&metadata=team%3Dspeech", [6, 4, 2]),
        ("metadata=team%3D", []),
        ("status=RUNNING&limit=1&metadata=team%3Dspeech", [4]),
    ],
)
def test_filters(agent: RunningAgent, dashboard: Dashboard, query: str, numbers: list[int]) -> None:
    some_jobs(dashboard)
    found = ids(agent.http.get(f"jobs/?{query}"))
    assert found == sorted(found, key=lambda job: (dashboard.jobs[job]["start_time"], job), reverse=True)
    assert set(found) == {f"job-{number * 5 % 8}" for number in numbers}


@each_row(
    ("path", "status", "names"),
    [
        ("jobs/?cursor=x", 400, ["cursor"]),
        ("jobs/?cursor=MTI", 400, ["cursor"]),
        ("jobs/?cursor=%C3%A9", 400, ["cursor"]),
        ("jobs/?limit=0&status=running&metadata=", 422, ["metadata", "status", "limit"]),
        ("jobs/?limit=1001&cursor=", 422, ["limit", "cursor"]),
        ("tasks/?limit=10001&state=DONE&job_id=a%20b", 422, ["job_id", "state", "limit"]),
    ],
)
def test_bad_parameters(agent: RunningAgent, path: str, status: int, names: list[str]) -> None:
    response = agent.http.get(path)
    assert response.status_code == status
    detail = response.json()["detail"]
    if status == 400:
        assert names[0] in detail
    else:
        assert [error["loc"] for error in detail] == [["query", name] for name in names]


def test_tasks_are_filtered_by_ray(agent: RunningAgent, dashboard: Dashboard) -> None:
    add_job(dashboard, "train", 1, job_id="0a000000")
    add_job(dashboard, "quiet", 1)
    task = dict.fromkeys(("name", "func_or_class_name", "parent_task_id"), "x") | {"type": "NORMAL_TASK"}
    dashboard.tasks.append({"task_id": "t", "state": "RUNNING", "job_id": "", "attempt_number": 0} | task)
    assert [
        task["task_id"] for task in agent.http.get("tasks/?job_id=train&state=RUNNING&limit=7").json()
    ] == ["t"]
    _, path, query = dashboard.requests[-1]
    assert path == f"{PREFIX}/api/v0/tasks"
    assert ("limit", "7") in query
    filters = [[value for name, value in query if name == f"filter_{kind}"] for kind in ("keys", "values")]
    assert filters == [["job_id", "state"], ["0a000000", "RUNNING"]]
    # Ray has forgotten the job, and may know its tasks.
    assert len(agent.http.get("tasks/?job_id=0b000000").json()) == 1
    # Neither has any: one never connected to Ray, one is unknown.
    assert agent.http.get("tasks/?job_id=quiet").json() == []
    assert agent.http.get("tasks/?job_id=unknown").json() == []


def test_jobs_are_deleted_when_they_are_over(agent: RunningAgent, dashboard: Dashboard) -> None:
    add_job(dashboard, "over", 1, status="FAILED")
    add_job(dashboard, "running", 2, status="RUNNING")
    add_job(dashboard, "driver", 3, type="DRIVER", submission_id=None)
    assert agent.http.delete("jobs/over/").status_code == 204
    assert agent.http.delete("jobs/over/").status_code == 404
    refused = agent.http.delete("jobs/running/")
    assert (refused.status_code, "stop it" in refused.json()["detail"]) == (409, True)
    assert agent.http.delete("jobs/driver/").status_code == 400
    assert agent.http.delete("jobs/a%20b/").status_code == 400
    assert dashboard.paths("DELETE") == [f"{PREFIX}/api/jobs/over"]


@pytest.mark.slow  # the agent waits for a node that is not there
def test_every_request_goes_below_the_path_of_the_dashboard(
    agent: RunningAgent, dashboard: Dashboard
) -> None:
    add_job(dashboard, "train-42", 1, driver_node_id="n1")
    with httpx.Client(base_url=agent.url, headers=agent.headers, timeout=60) as http:
        for operation in OPERATIONS:
            if operation.method != "GET" or operation.id == "delete_job":
                continue
            response = http.get(operation.concrete())
            assert "418" not in response.text, operation.id
        with http.stream("GET", "jobs/train-42/logs/stream/") as streamed:
            assert "418" not in streamed.read().decode()
        http.post("jobs/train-42/stop/")
        http.delete("jobs/train-42/")
        http.delete("serve_applications/x/")
        http.post("plugin_releases/run_debug/", json={"action": "m", "modules": {"m": "def main(): pass"}})
    paths = [path for _, path, _ in dashboard.requests]
    assert all(path.startswith(f"{PREFIX}/api/") or path == f"{PREFIX}/nodes" for path in paths)
    assert {method for method, _, _ in dashboard.requests} >= {"GET", "POST", "DELETE"}
    assert dashboard.authorizations == {"Bearer ray-token"}


def test_a_user_in_the_address_is_sent_and_not_told() -> None:
    with dashboard_at("/ray") as dashboard:
        url = dashboard.url.replace("http://", "http://someone:s3cret@")
        with running_agent("--ray", url) as agent:
            assert agent.http.get("jobs/").json() == []
            assert dashboard.authorizations == {httpx.BasicAuth("someone", "s3cret")._auth_header}
            dashboard.jobs["x"] = {}
            told = [agent.http.get(path).text for path in ("health/", "gpu_status/", "nodes/")]
            assert agent.process is not None
            agent.process.terminate()
            agent.process.wait(20)
            assert agent.process.stdout is not None
            told += [agent.process.stdout.read(), agent.stderr]
    assert dashboard.url in "".join(told)
    assert "s3cret" not in "".join(told)
    assert "someone" not in "".join(told)
