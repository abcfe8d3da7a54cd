"""The agent's REST side over a real cluster."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_agent import RunningAgent, dashboard, ray_token, running_agent
from tables import each_row

from synapse_agent.http.not_supported import not_supported
from synapse_agent.routes import ROUTES, STREAM_ROUTES

pytestmark = pytest.mark.ray

NODE_FIELDS = {
    *("node_id", "node_ip", "is_head_node", "state", "state_message", "node_name", "labels"),
    *(
        "resources_total",
        "start_time_ms",
        "end_time_ms",
        "alive",
        "hostname",
        "cpu_percent",
        "memory_total_bytes",
    ),
    *("memory_available_bytes", "gpus"),
}


@contextmanager
def policy(agent: RunningAgent, **limits: object) -> Iterator[dict[str, Any]]:
    before = agent.http.get("resources/policy/").json()
    response = agent.http.patch("resources/policy/", json=limits)
    assert response.status_code == 200
    try:
        yield response.json()
    finally:
        assert agent.http.patch("resources/policy/", json=before).json() == before


def detail(response: httpx.Response) -> Any:
    return response.json()["detail"]


def concrete(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


# -- credentials


@each_row("token", [None, "", "wrong", "Bearer wrong", "{}x", "Token {}", "\xe9"])
def test_no_request_goes_without_the_token(agent: RunningAgent, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token.format(agent.token).encode("latin-1")}
    paths = [(route.method, concrete(route.path)) for route in (*ROUTES, *STREAM_ROUTES)]
    if token not in (None, "wrong"):
        paths = paths[:2]
    with httpx.Client(base_url=agent.url) as http:
        for method, path in [*paths, ("GET", "/nowhere"), ("GET", "/"), ("PUT", "/jobs/")]:
            response = http.request(method, path, headers=headers)
            assert (response.status_code, list(response.json())) == (401, ["detail"]), (method, path)
            assert agent.token not in response.text
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        assert http.get("/jobs/x/logs/", headers=headers | upgrade).status_code == 401


# -- errors


def test_unknown_paths_and_methods(agent: RunningAgent) -> None:
    for path in ("nowhere", "jobs", "plugin_releases/run/x", "", "%00", "jobs/a/b/c/"):
        response = agent.http.get(path)
        assert (response.status_code, list(response.json())) == (404, ["detail"]), path
    response = agent.http.put("jobs/", content=b"x")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert "not allowed" in detail(response)


@each_row("request_line", [b"GET /jobs/\x01 HTTP/1.1", b"GET / HTTP/9", b"\x16\x03\x01"])
def test_what_is_no_http_is_refused_and_not_logged(agent: RunningAgent, request_line: bytes) -> None:
    before = agent.stderr
    with socket.create_connection(("127.0.0.1", httpx.URL(agent.url).port or 0)) as sock:
        sock.sendall(request_line + b"\r\nHost: x\r\n\r\n")
        assert sock.makefile("rb").readline() == b"HTTP/1.0 400 Bad Request\r\n"
    assert agent.stderr == before


@each_row("bad", ["a%20b%2Fc", "%2e%2e", "a.b", "x" * 101, "caf%C3%A9", "a%00"])
@each_row("path", ["jobs/{}/", "jobs/{}/logs/", "jobs/{}/logs/stream/", "nodes/{}/"])
def test_bad_ids_are_refused(agent: RunningAgent, path: str, bad: str) -> None:
    response = agent.http.get(path.format(bad))
    # `..` is resolved by the server's router, so that it is another path.
    assert response.status_code == (404 if bad == "%2e%2e" and response.status_code == 404 else 400)
    assert isinstance(detail(response), str)


@each_row("path", ["jobs/none/", "jobs/none/logs/", "jobs/none/logs/stream/", "nodes/none/", "tasks/none/"])
def test_unknown_ids(agent: RunningAgent, path: str) -> None:
    response = agent.http.get(path)
    assert response.status_code == 404
    assert "there is no" in detail(response)
    assert agent.http.post("jobs/none/stop/").status_code == 404
    assert agent.http.get(f"tasks/{'0' * 48}/").status_code == 404


@each_row("route", [r for r in ROUTES if r.handler is not_supported], ids=lambda r: r.operation)
def test_what_there_is_no_machinery_for(agent: RunningAgent, route: Any) -> None:
    response = agent.http.request(route.method, concrete(route.path))
    assert response.status_code == 501
    assert response.json()["error_type"] == "not_supported"
    assert response.json()["message"]


def test_without_a_source_of_plugins(agent: RunningAgent) -> None:
    with running_agent("--ray", dashboard(agent), RAY_AUTH_TOKEN=ray_token(agent)) as other:
        response = other.http.post("plugin_releases/", json={"plugin": "letters", "version": "1.0.0"})
        assert (response.status_code, response.json()["error_type"]) == (501, "not_supported")
        assert "--plugins" in response.json()["message"]
        empty = {"count": 0, "next": None, "previous": None, "results": []}
        assert other.http.get("plugin_releases/").json() == empty
        assert other.http.get("plugin_releases/letters@1.0.0").status_code == 404


@each_row(
    ("body", "where"),
    [
        ({}, ["body", "action"]),
        ({"action": None}, ["body", "action"]),
        ({"action": 5}, ["body", "action"]),
        ({"action": ""}, ["body", "action"]),
        ({"action": "no entrypoint"}, ["body", "action"]),
        ({"action": "a:b", "params": [1]}, ["body", "params"]),
        ({"action": "a:b", "modules": {"../x": ""}}, ["body", "modules", "../x"]),
        ({"action": "a:b", "modules": {"a": 5}}, ["body", "modules", "a"]),
        ({"action": "a:b", "plugin_path": "/no/such/directory"}, ["body", "plugin_path"]),
        ({"action": "a:b", "requirements": "numpy"}, ["body", "requirements"]),
        ({"action": "a:b", "requirements": [1]}, ["body", "requirements"]),
        ({"action": "a:b", "job_id": "a b"}, ["body", "job_id"]),
        ({"action": "a:b", "job_id": "x" * 101}, ["body", "job_id"]),
        ({"action": "a", "config": {"code": "x"}}, ["body", "config"]),
        ({"action": "a", "config": {"actions": {"b": {"entrypoint": "x:y"}}}}, ["body", "action"]),
        ({"action": "a", "config": {"actions": {"a": {"entrypoint": "x y"}}}}, ["body", "action"]),
        ([], ["body"]),
        ("text", ["body"]),
    ],
)
def test_bodies_that_are_refused(agent: RunningAgent, body: object, where: list[str]) -> None:
    response = agent.http.post("plugin_releases/run_debug/", json=body)
    assert response.status_code == 422, response.text
    (error,) = detail(response)
    assert error.keys() == {"loc", "msg", "type", "input"}
    assert error["loc"] == where


def test_every_wrong_field_is_told(agent: RunningAgent) -> None:
    response = agent.http.post("plugin_releases/run_debug/", json={"params": 1, "language": 2})
    assert [error["loc"][1] for error in detail(response)] == ["action", "params", "language"]


def test_other_bodies_that_are_refused(agent: RunningAgent) -> None:
    for raw in (b"", b"{", b"\xff", b"[" * 100_000):
        response = agent.http.post("plugin_releases/run_debug/", content=raw)
        assert response.status_code == 400
        assert "JSON" in detail(response)
    serve = {"action": "a", "config": {"actions": {"a": {"entrypoint": "x:y", "method": "serve"}}}}
    response = agent.http.post("plugin_releases/run_debug/", json=serve)
    assert (response.status_code, response.json()["error_type"]) == (501, "not_supported")
    response = agent.http.post("plugin_releases/run_debug/", content=b" " * (33 << 20))
    assert response.status_code == 413
    assert "larger" in detail(response)


# -- what there is


def test_health(agent: RunningAgent) -> None:
    health = agent.http.get("health/", params={"unknown": "1"}).json()
    assert health["status"] == "ok"
    assert health["ray_available"] is True
    assert health["version"]


def test_nodes(agent: RunningAgent) -> None:
    (node,) = agent.http.get("nodes/").json()
    assert node.keys() == NODE_FIELDS
    assert node["alive"] is True
    assert node["is_head_node"] is True
    assert node["resources_total"]["CPU"] >= 1
    assert 0 < node["memory_available_bytes"] < node["memory_total_bytes"]
    assert abs(node["start_time_ms"] / 1000 - time.time()) < 3600
    assert agent.http.get(f"nodes/{node['node_id']}/").json()["node_id"] == node["node_id"]


def test_gpu_status(agent: RunningAgent) -> None:
    if agent.http.get("nodes/").json()[0]["gpus"]:
        assert agent.http.get("gpu_status/").json().keys() == {"gpus", "summary"}
        return
    response = agent.http.get("gpu_status/")
    assert (response.status_code, response.json()["error_type"]) == (503, "gpu_unavailable")


def test_snapshot(agent: RunningAgent) -> None:
    snapshot = agent.http.get("resources/cluster/", params={"use_cache": "false"}).json()
    assert snapshot.keys() >= {"cpu", "memory", "gpu", "running_jobs", "node_counts", "nodes"}
    assert snapshot["stale"] is False
    assert snapshot["node_counts"] == {"total": 1, "alive": 1, "dead": 0}
    for name in ("cpu", "memory"):
        amount = snapshot[name]
        assert amount["total"] > 0
        assert amount["used"] + amount["available"] == pytest.approx(amount["total"])
    with policy(agent, resource_cache_ttl_seconds=60):
        assert agent.http.get("resources/cluster/").json() == snapshot
        assert agent.http.get("resources/cluster/?use_cache=true").json() == snapshot
    later = agent.http.get("resources/cluster/?use_cache=false").json()
    assert later["collected_at"] > snapshot["collected_at"]
    assert agent.http.get("resources/cluster/?use_cache=maybe").status_code == 422


def test_policy(agent: RunningAgent) -> None:
    with policy(agent, max_concurrent_jobs=7, cpu_max_utilization_percent=12.5) as changed:
        assert changed["max_concurrent_jobs"] == 7
        assert agent.http.get("resources/policy/").json() == changed
        bad = {"max_concurrent_jobs": -1, "gpu_max_memory_percent": 101, "gatekeeping_enabled": 1}
        bad |= {"max_concurrent_ray_jobs": True, "cpu_max_utilization_percent": 50}
        response = agent.http.patch("resources/policy/", json=bad)
        assert response.status_code == 422
        assert len(detail(response)) == 4
        assert agent.http.get("resources/policy/").json() == changed


def test_feasibility(agent: RunningAgent) -> None:
    def ask(**body: object) -> Any:
        return agent.http.post("resources/feasibility/", json=body).json()

    with policy(agent, resource_cache_ttl_seconds=0, memory_max_utilization_percent=100):
        fits = ask(kind="task", num_cpus=0.001)
        assert (fits["allowed"], fits["reasons"], fits["messages"]) == (True, [], [])
        assert fits["feasible_replicas"] >= 1
        answer = ask(kind="job", num_cpus=1000)
        assert (answer["allowed"], answer["reasons"]) == (False, ["insufficient_resources"])
        assert answer["feasible_replicas"] == 0
        assert ask(kind="task", num_cpus=0)["feasible_replicas"] is None
        assert not ask(kind="job", num_gpus=1)["allowed"] or agent.http.get("gpu_status/").status_code == 200
        with policy(agent, max_concurrent_serve_replicas=0):
            assert "max_concurrent_serve_replicas" in ask(kind="serve", num_cpus=0.001)["reasons"]
        errors = ask(kind="cake", num_cpus=-1, replicas=0, memory_bytes=1.5)["detail"]
        assert [error["loc"][1] for error in errors] == ["kind", "num_cpus", "memory_bytes", "replicas"]


# -- jobs


def test_a_job_from_modules(agent: RunningAgent) -> None:
    modules = {
        "app.train": "from app.util import shout\nclass Train:\n"
        "    def __init__(self, params): self.p = params\n"
        "    def execute(self): shout(self.p['text'])\n",
        "app.util": "def shout(text): print(text.upper())",
    }
    config = {"code": "demo", "version": "1.0.0", "actions": {"train": {"entrypoint": "app.train.Train"}}}
    job, log = agent.run("", action="train", modules=modules, config=config, params={"text": "straße"})
    assert log == "STRASSE\n"
    assert job["type"] == "SUBMISSION"
    assert job["status"] == "SUCCEEDED"
    assert job["driver_exit_code"] == 0
    assert 0 < job["end_time"] - job["start_time"] < 60_000
    assert abs(job["end_time"] / 1000 - time.time()) < 600
    jobs = agent.http.get("jobs/").json()
    assert job["submission_id"] in [listed["submission_id"] for listed in jobs]
    again = {"action": "x:y", "job_id": job["submission_id"]}
    response = agent.http.post("plugin_releases/run_debug/", json=again)
    assert response.status_code == 409
    assert job["submission_id"] in detail(response)
    agent.wait_at_rest(job["submission_id"])


def test_a_job_from_a_directory_with_its_environment(agent: RunningAgent, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "code: demo\nversion: 2.0.0\nactions:\n  show:\n    entrypoint: show:run\n    method: job\n"
    )
    (tmp_path / "data.txt").write_text("from a file")
    (tmp_path / "show.py").write_text(
        "import os, json\n"
        "async def run(size, text):\n"
        "    print(open('data.txt').read(), size, len(text))\n"
        "    path = os.environ['SYNAPSE_ACTION_PARAMS_FILE']\n"
        "    assert os.path.isabs(path) and json.load(open(path))['size'] == size\n"
        "    names = sorted(n for n in os.environ if n.startswith(('SYNAPSE_', 'NOT_FOR_JOBS')))\n"
        "    print(json.dumps({n: os.environ[n] for n in names}))\n"
    )
    headers = {"SYNAPSE-User": "Token user-secret", "SYNAPSE-Tenant": "Token acme"}
    body = {"action": "show", "plugin_path": str(tmp_path), "job_id": "env-1", "language": "ko"}
    body["params"] = {"size": 3, "text": "é" * 40_000}
    assert agent.http.post("plugin_releases/run_debug/", json=body, headers=headers).status_code == 202
    job = agent.wait("env-1")
    first, second, _ = agent.http.get("jobs/env-1/logs/").json().split("\n", 2)[2].split("\n")
    assert first == "from a file 3 40000"
    environment = json.loads(second)
    del environment["SYNAPSE_ACTION_PARAMS_FILE"]
    assert re.fullmatch("[0-9a-f]{64}", environment.pop("SYNAPSE_PLUGIN_RELEASE_CHECKSUM"))
    assert environment == {
        "SYNAPSE_ACTION_ENTRYPOINT": "show:run",
        "SYNAPSE_AGENT_TOKEN": agent.token,
        "SYNAPSE_AGENT_URL": agent.url,
        "SYNAPSE_JOB_ID": "env-1",
        "SYNAPSE_LANGUAGE": "ko",
        "SYNAPSE_PLUGIN_RELEASE_CODE": "demo@2.0.0",
        "SYNAPSE_PLUGIN_RUN_TENANT": "acme",
        "SYNAPSE_PLUGIN_RUN_USER_TOKEN": "user-secret",
    }
    # The job has the secrets; its answer does not show them.
    for text in (str(job), agent.http.get("jobs/").text, agent.http.get("tasks/").text):
        assert agent.token not in text
        assert "user-secret" not in text
    job_id = agent.submit("pass", params={"password": "s3cret-param"})
    for text in (str(agent.wait(job_id)), agent.http.get("jobs/").text):
        assert "s3cret-param" not in text


def test_a_job_that_fails(agent: RunningAgent) -> None:
    job, log = agent.run("print('before')\nraise RuntimeError('no luck')")
    assert job["status"] == "FAILED"
    assert job["driver_exit_code"] == 1
    assert log.startswith("before\nTraceback (most recent call last):\n")
    assert log.endswith("RuntimeError: no luck\n")
    assert "_synapse_runner" not in log
    assert "in main\n" in log


def test_gatekeeping(agent: RunningAgent) -> None:
    job_id = agent.submit("time.sleep(60)")
    try:
        for limit in ("max_concurrent_jobs", "max_concurrent_ray_jobs"):
            with policy(agent, **{limit: 1}):
                response = agent.http.post("plugin_releases/run_debug/", json={"action": "x:y"})
                assert response.status_code == 429
                assert limit in detail(response)
                assert response.headers["Retry-After"]
                body = {"kind": "job", "num_cpus": 0}
                with policy(agent, resource_cache_ttl_seconds=0):
                    assert limit in agent.http.post("resources/feasibility/", json=body).json()["reasons"]
        agent.wait(job_id, "RUNNING")
    finally:
        assert agent.http.post(f"jobs/{job_id}/stop/").json() == {"stopped": True}
    assert agent.wait(job_id)["status"] == "STOPPED"


def test_jobs_in_parts_and_deleted(agent: RunningAgent) -> None:
    ids = [agent.submit("print(1)") for _ in range(3)]
    running = agent.submit("time.sleep(600)")
    for job_id in ids:
        agent.wait(job_id)
    agent.wait(running, "RUNNING")
    found: list[str] = []
    page = agent.http.get("jobs/", params={"limit": 2})
    while True:
        assert len(page.json()) <= 2
        found += [job["submission_id"] or job["job_id"] for job in page.json()]
        if "Synapse-Next-Cursor" not in page.headers:
            break
        page = agent.http.get("jobs/", params={"limit": 2, "cursor": page.headers["Synapse-Next-Cursor"]})
    assert found[:4] == [running, *reversed(ids)]
    assert len(found) == len(set(found))
    assert {job["submission_id"] for job in agent.http.get("jobs/?status=RUNNING").json()} >= {running}
    assert {job["status"] for job in agent.http.get("jobs/?status=RUNNING").json()} == {"RUNNING"}
    response = agent.http.delete(f"jobs/{running}/")
    assert (response.status_code, "stop it" in detail(response)) == (409, True)
    agent.http.post(f"jobs/{running}/stop/")
    agent.wait(running)
    for job_id in (*ids, running):
        response = agent.http.delete(f"jobs/{job_id}/")
        assert (response.status_code, response.content) == (204, b"")
    left = [job["submission_id"] for job in agent.http.get("jobs/").json()]
    assert not {*ids, running} & {*left}
    assert agent.http.delete("jobs/none/").status_code == 404


def test_tasks(agent: RunningAgent) -> None:
    source = """
import ray
ray.init(log_to_driver=False, logging_level="ERROR")
@ray.remote(num_cpus=0.1, max_retries=0)
def double(x):
    return 2 * x if x else 1 / x
print(ray.get(double.options(name="twice").remote(4)))
try:
    ray.get(double.options(name="broken").remote(0))
except ZeroDivisionError:
    print("as it must")
"""
    job, log = agent.run(source)
    assert log == "8\nas it must\n"
    assert re.fullmatch("[0-9a-f]{8}", job["job_id"])
    deadline = time.monotonic() + 60
    while True:
        tasks = {task["name"]: task for task in agent.http.get("tasks/").json()}
        if {"twice", "broken"} <= tasks.keys() and all(task["end_time_ms"] for task in tasks.values()):
            break  # Ray gathers what it knows of a task bit by bit
        assert time.monotonic() < deadline, tasks
        time.sleep(0.2)
    task = tasks["twice"]
    assert (task["state"], tasks["broken"]["state"]) == ("FINISHED", "FAILED")
    assert task["job_id"] == job["job_id"]
    assert task["required_resources"] == {"CPU": 0.1}
    # Ray loses the start of a task now and then.
    assert task["creation_time_ms"] <= (task["start_time_ms"] or task["end_time_ms"]) <= task["end_time_ms"]
    assert agent.http.get(f"tasks/{task['task_id']}/").json() == task
    assert "ZeroDivisionError" in tasks["broken"]["error_message"]
    # Of this job by either of its ids, as Ray filters them.
    for job_id in (job["job_id"], job["submission_id"]):
        found = agent.http.get("tasks/", params={"job_id": job_id}).json()
        assert {item["name"] for item in found} >= {"twice", "broken"}
        assert {item["job_id"] for item in found} == {job["job_id"]}
        (failed,) = agent.http.get("tasks/", params={"job_id": job_id, "state": "FAILED"}).json()
        assert failed["name"] == "broken"
        assert len(agent.http.get("tasks/", params={"job_id": job_id, "limit": 1}).json()) == 1
    # The job by Ray's own id for the driver.
    assert agent.http.get(f"jobs/{job['job_id']}/").json()["submission_id"] == job["submission_id"]
    assert agent.http.get(f"jobs/{job['job_id']}/logs/").json().endswith(log)


def test_serve_applications(agent: RunningAgent) -> None:
    assert agent.http.get("serve_applications/").json() == []
    assert agent.http.get("serve_applications/none/").status_code == 404
    assert agent.http.delete("serve_applications/none/").status_code == 404
    source = """
import ray
from ray import serve
ray.init(log_to_driver=False, logging_level="ERROR")
serve.start(proxy_location="Disabled")
@serve.deployment(ray_actor_options={"num_cpus": 0, "runtime_env": {"env_vars": {"API_KEY": "hidden"}}})
class Hello:
    def __call__(self):
        return "hello"
for name in ("one@1.0.0", "two@1.0.0"):
    serve.run(Hello.bind(), name=name, route_prefix="/" + name)
"""
    job, log = agent.run(source)
    assert job["status"] == "SUCCEEDED", log
    one, two = agent.http.get("serve_applications/").json()
    assert (one["name"], two["name"]) == ("one@1.0.0", "two@1.0.0")
    assert one["status"] == "RUNNING"
    assert one["route_prefix"] == "/one@1.0.0"
    assert abs(one["last_deployed_time_s"] - time.time()) < 600
    assert len(one["deployments"]["Hello"]["replicas"]) == 1
    assert "hidden" not in str(one)
    assert agent.http.get("serve_applications/one%401.0.0/").json()["name"] == "one@1.0.0"
    assert agent.http.get("resources/cluster/?use_cache=false").json()["total_serve_replicas"] == 2
    response = agent.http.delete("serve_applications/one%401.0.0/")
    assert (response.status_code, response.content) == (204, b"")
    deadline = time.monotonic() + 60
    while agent.http.get("serve_applications/one@1.0.0/").status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (left,) = agent.http.get("serve_applications/").json()
    assert (left["name"], left["status"]) == ("two@1.0.0", "RUNNING")
    jobs = agent.http.get("jobs/").json()
    assert not [job for job in jobs if (job["submission_id"] or "").startswith("synapse-agent-")]
    assert agent.http.delete("serve_applications/two@1.0.0/").status_code == 204
