"""Requests to run something: what the agent refuses, and what it hands to Ray. The cluster is a fake."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from synapse_agent.plugins import files as _files
from synapse_agent.runs import admission as _admission
from synapse_agent.runs import jobs as _jobs

from .agent_app import Agent, asynchronous, serving

RUN = "plugin_releases/run_debug/"
MAIN = "def main(params): pass"


class Ray:
    """A dashboard that keeps what is submitted, as pending."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/jobs/", self._list),
            web.post("/api/jobs/", self._submit),
            web.get("/api/jobs/{id}", self._get),
            web.post("/api/jobs/{id}/stop", self._stop),
            web.get("/api/packages/gcs/{name}", self._stop),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(list(self.jobs.values()))

    async def _submit(self, request: web.Request) -> web.Response:
        job = await request.json()
        self.jobs[job["submission_id"]] = job | {
            "type": "SUBMISSION",
            "status": "PENDING",
            "start_time": int(time.time() * 1000),
            "message": "Job has not started yet.",
        }
        return web.json_response({})

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self.jobs[request.match_info["id"]])

    async def _stop(self, _: web.Request) -> web.Response:
        return web.json_response({"stopped": True})


@asynccontextmanager
async def cluster(directory: Path, **options: Any) -> AsyncIterator[tuple[Agent, Ray]]:
    ray = Ray()
    app = web.Application()
    app.add_routes(ray.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}".format(*runner.addresses[0])
        async with serving(directory, ray=url, **options) as agent:
            yield agent, ray
    finally:
        await runner.cleanup()


async def post(agent: Agent, path: str, body: object) -> httpx.Response:
    # Not json=: httpx refuses what Python's own json writes, such as infinity and lone surrogates.
    return await agent.client.post(
        path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )


def strictly(response: httpx.Response) -> Any:
    """The body, which must be JSON as everybody reads it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(response.content, parse_constant=refuse)


def with_config(**config: Any) -> dict[str, Any]:
    return {"action": "a", "config": {"actions": {"a": {"entrypoint": "m"}}} | config}


REFUSED = {
    "an action that ends in NUL": ({"action": "a\0"}, "action"),
    "an action that is half a character": ({"action": "a\ud800"}, "action"),
    "a long action": ({"action": "a" * 140_000}, "action"),
    "a long entrypoint": (
        with_config() | {"config": {"actions": {"a": {"entrypoint": "m" * 400}}}},
        "action",
    ),
    "a long language": ({"action": "m", "language": "x" * 140_000}, "language"),
    "a language with NUL": ({"action": "m", "language": "e\0n"}, "language"),
    "a code with NUL": (with_config(code="a\0b"), "config"),
    "a code that is half a character": (with_config(code="a\ud800b"), "config"),
    "a long version": (with_config(code="a", version="1" * 140_000), "config"),
    "a version that is a list": (with_config(code="a", version=["1"]), "config"),
    "a requirement with NUL": ({"action": "m", "requirements": ["a\0b"]}, "requirements"),
    "a requirement of two lines": ({"action": "m", "requirements": ["a\n--pre"]}, "requirements"),
    "an empty requirement": ({"action": "m", "requirements": [""]}, "requirements"),
    "very many requirements": ({"action": "m", "requirements": ["x" * 999] * 200}, "requirements"),
    "a number too large": ({"action": "m", "params": {"x": float("inf")}}, None),
    "deep parameters": ({"action": "m", "params": {"x": json.loads("[" * 900 + "]" * 900)}}, None),
    **{
        f"the module {name}": ({"action": "m", "modules": {"m": MAIN, name: "x = 1"}}, "modules")
        for name in ("logging", "json.py", "asyncio.__init__", "ray", "google.__init__", "sitecustomize")
    },
    "very many modules": ({"action": "m", "modules": {f"m{n}": "" for n in range(10_001)}}, "modules"),
    "one module twice": ({"action": "a.b", "modules": {"a.b": MAIN, "a/b.py": MAIN}}, "modules"),
    "a module and its package": ({"action": "a", "modules": {"a": MAIN, "a.__init__": ""}}, "modules"),
    "a module that is a package": ({"action": "a", "modules": {"a": MAIN, "a.b": ""}}, "modules"),
}


@pytest.mark.parametrize("case", REFUSED)
@asynchronous
async def test_requests_that_would_keep_a_job_from_starting(tmp_path: Path, case: str) -> None:
    body, field = REFUSED[case]
    async with cluster(tmp_path) as (agent, ray):
        response = await post(agent, RUN, body)
        assert response.status_code in ((422,) if field else (400, 422)), response.text[:300]
        if field:
            assert {error["loc"][1] for error in strictly(response)["detail"]} == {field}
        assert ray.jobs == {}


@asynchronous
async def test_a_number_that_json_lacks(tmp_path: Path) -> None:
    async with cluster(tmp_path) as (agent, ray):
        for raw in ('{"action": "m", "params": {"x": 1e999}}', '{"action": 1e999}'):
            response = await agent.client.post(RUN, content=raw)
            assert response.status_code in (400, 422)
            assert strictly(response)
        assert ray.jobs == {}


@asynchronous
async def test_long_parameters_and_names_like_those_of_modules_run(tmp_path: Path) -> None:
    body = {
        "action": "pkg.json:main",
        "modules": {"pkg.json": MAIN, "jsonlines": "", "logging_setup": ""},
        "params": {"quotes": '"' * 15_990, "deep": json.loads("[" * 50 + "]" * 50)},
        "requirements": ["numpy>=2", "--index-url https://example.org/simple"],
        "language": "é" * 100,
    }
    async with cluster(tmp_path) as (agent, ray):
        response = await post(agent, RUN, body)
        assert response.status_code == 202, response.text
        (job,) = ray.jobs.values()
        assert len(json.dumps(job["runtime_env"])) < 128 * 1024


# -- plugins on the agent's machine


@asynchronous
async def test_plugins_outside_of_the_allowed_directories(tmp_path: Path) -> None:
    for name in ("allowed/p", "allowed2", "secret"):
        plugin(tmp_path / name, {"config.yaml": CONFIG, "m.py": MAIN})
    (tmp_path / "allowed" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "allowed" / "file").write_text("")
    (tmp_path / "allowed" / "loop").symlink_to("loop")
    outside = ["secret", "allowed/../secret", "allowed2", "allowed/link", "allowed/file", "allowed/none"]
    async with cluster(tmp_path, plugin_paths=(tmp_path / "allowed",)) as (agent, ray):
        messages = set[str]()
        for path in (*outside, "allowed/loop"):
            response = await post(agent, RUN, {"action": "go", "plugin_path": str(tmp_path / path)})
            (error,) = response.json()["detail"]
            assert (response.status_code, error["loc"]) == (422, ["body", "plugin_path"]), path
            messages.add(error["msg"])
        assert len(messages) == 2, "the answer does not tell which files there are"
        assert ray.jobs == {}
        response = await post(agent, RUN, {"action": "go", "plugin_path": str(tmp_path / "allowed" / "p")})
        assert response.status_code == 202, response.text
    async with cluster(tmp_path) as (agent, _):
        response = await post(agent, RUN, {"action": "go", "plugin_path": str(tmp_path / "allowed" / "p")})
        assert (response.status_code, "--plugin-path" in response.text) == (422, True)


@pytest.mark.parametrize("harm", ["link", "fifo", "name", "module", "count", "size", "config"])
@asynchronous
async def test_a_plugin_path_has_the_limits_of_releases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    root = tmp_path / "p"
    plugin(root, {"config.yaml": CONFIG, "m.py": MAIN})
    match harm:
        case "link":
            (root / "passwd").symlink_to("/etc/passwd")
        case "fifo":
            os.mkfifo(root / "pipe")
        case "name":
            (root / "a\nb").write_text("")
        case "module":
            (root / "json.py").write_text("")
        case "count":
            monkeypatch.setattr(_files, "MAX_FILES", 1)
        case "size":
            monkeypatch.setattr(_files, "MAX_BYTES", 20)
        case _:
            (root / "config.yaml").write_text("[")
    async with cluster(tmp_path, plugin_paths=(tmp_path,)) as (agent, ray):
        response = await post(agent, RUN, {"action": "go", "plugin_path": str(root)})
        (error,) = response.json()["detail"]
        assert (response.status_code, error["loc"]) == (422, ["body", "plugin_path"])
        assert ray.jobs == {}


@asynchronous
async def test_modules_over_a_plugin(tmp_path: Path) -> None:
    plugin(tmp_path / "p", {"config.yaml": CONFIG, "m.py": "", "pkg/__init__.py": "", "one.py": ""})
    async with cluster(tmp_path, plugin_paths=(tmp_path,)) as (agent, _):
        for modules, status in (
            ({"m": MAIN, "pkg.new": ""}, 202),
            ({"pkg": ""}, 422),
            ({"one.two": ""}, 422),
            ({"one.__init__": ""}, 422),
        ):
            body = {"action": "go", "plugin_path": str(tmp_path / "p"), "modules": modules}
            response = await post(agent, RUN, body)
            assert response.status_code == status, (modules, response.text)


# -- releases


def plugin(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CONFIG = "code: p\nversion: '1'\nactions: {go: {entrypoint: m}}\n"


@pytest.mark.parametrize("hidden", ["logging.py", "json/__init__.py", "asyncio.abi3.so", "ray.py"])
@asynchronous
async def test_a_release_that_hides_a_module_of_python(tmp_path: Path, hidden: str) -> None:
    plugin(tmp_path / "source" / "p", {"config.yaml": CONFIG, "m.py": MAIN, hidden: ""})
    async with cluster(tmp_path, plugins=tmp_path / "source") as (agent, _):
        response = await post(agent, "plugin_releases/", {"plugin": "p", "version": "1"})
        (error,) = response.json()["detail"]
        assert (response.status_code, error["loc"]) == (422, ["body", "plugin"])
        assert "rename it" in error["msg"]


@asynchronous
async def test_a_release_of_an_older_agent_is_checked_when_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path / "source" / "p", {"config.yaml": CONFIG, "m.py": MAIN, "logging.py": ""})
    async with cluster(tmp_path, plugins=tmp_path / "source") as (agent, ray):
        with monkeypatch.context() as older:
            older.setattr("synapse_agent.plugins.files.hidden_module", lambda path: None)
            assert (await post(agent, "plugin_releases/", {"plugin": "p", "version": "1"})).status_code == 201
        response = await post(agent, "plugin_releases/p@1/run/", {"action": "go"})
        assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["path", "lookup"])
        assert ray.jobs == {}


# -- agents that share a directory


@asynchronous
async def test_the_policy_is_one_for_all_agents_and_stays(tmp_path: Path) -> None:
    async with serving(tmp_path) as one, serving(tmp_path) as two:
        await one.client.patch("resources/policy/", json={"max_concurrent_jobs": 7})
        changes: list[Any] = [{"max_concurrent_ray_jobs": 8}, {"gatekeeping_enabled": False}, {}]
        await asyncio.gather(*(two.client.patch("resources/policy/", json=change) for change in changes))
        bad = await one.client.patch("resources/policy/", json={"max_concurrent_jobs": 1, "gpu_max": 1} | BAD)
        assert bad.status_code == 422
        now = (await one.client.get("resources/policy/")).json()
        assert now == (await two.client.get("resources/policy/")).json()
    async with serving(tmp_path) as later:
        assert (await later.client.get("resources/policy/")).json() == now
    assert (now["max_concurrent_jobs"], now["max_concurrent_ray_jobs"], now["gatekeeping_enabled"]) == (
        *(7, 8),
        False,
    )


BAD = {"cpu_max_utilization_percent": 101}


@asynchronous
async def test_two_agents_admit_no_more_jobs_than_the_policy_allows(tmp_path: Path) -> None:
    async with (
        cluster(tmp_path) as (one, ray),
        serving(tmp_path, ray=str(one.context.ray.url)) as two,
    ):
        await one.client.patch("resources/policy/", json={"max_concurrent_jobs": 3})
        answers = await asyncio.gather(
            *(post((one, two)[number % 2], RUN, {"action": "m"}) for number in range(16))
        )
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 13
        assert len(ray.jobs) == 3


@asynchronous
async def test_an_agent_that_submits_for_ever_does_not_hold_up_others_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_admission, "_LOCK_TIMEOUT", 0.1)
    async with cluster(tmp_path) as (agent, ray):
        with (tmp_path / "admission.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            response = await post(agent, RUN, {"action": "m"})
            assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
            assert ray.jobs == {}
        assert (await post(agent, RUN, {"action": "m"})).status_code == 202


# -- jobs that do not start


@asynchronous
async def test_a_stop_that_did_nothing_is_not_reported_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_jobs, "_STOP_TIMEOUT", 0.3)
    async with cluster(tmp_path) as (agent, ray):
        await post(agent, RUN, {"action": "m", "job_id": "stuck"})
        response = await agent.client.post("jobs/stuck/stop/")
        assert response.status_code == 409
        assert "Job has not started yet." in response.json()["detail"]
        ray.jobs["stuck"]["status"] = "STOPPED"
        assert (await agent.client.post("jobs/stuck/stop/")).json() == {"stopped": True}


@asynchronous
async def test_a_job_that_stays_pending_is_shown_with_the_reason(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    error = logs / "raylet.err"
    reason = "AttributeError: module 'logging' has no attribute 'Logger'"
    error.write_text(f"{'x' * 20_000}\nTraceback\n{reason}\n")
    async with cluster(tmp_path, log_dir=logs) as (agent, ray):
        await post(agent, RUN, {"action": "m", "job_id": "stuck"})

        async def message() -> str:
            return str((await agent.client.get("jobs/stuck/")).json()["message"])

        assert await message() == "Job has not started yet."
        ray.jobs["stuck"]["start_time"] -= 60_000
        assert "pending for 6" in await message()
        assert reason in await message()
        os.utime(error, (1, 1))
        assert "AttributeError" not in await message(), "an error from before the job is none of its own"
        ray.jobs["stuck"]["status"] = "RUNNING"
        assert await message() == "Job has not started yet."
