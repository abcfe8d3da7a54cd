"""Plugin releases, from a source to jobs and applications on a real cluster."""

from __future__ import annotations

import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from checkout import ROOT
from running_agent import RunningAgent, running_agent
from tables import each_row

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import HTTPError, NotFoundError

pytestmark = pytest.mark.ray

EXAMPLES = ROOT / "examples" / "plugins"

# One plugin for what the example does not show.
TOOLS = """
import json, os
def environment():
    names = [name for name in os.environ if name.startswith("SYNAPSE_")]
    print(json.dumps({name: os.environ[name] for name in names}))
def size(params):
    print(len(params["text"]), os.path.isabs(os.environ["SYNAPSE_ACTION_PARAMS_FILE"]))
def deploy():
    from fastapi import FastAPI, HTTPException, Request
    from ray import serve
    app = FastAPI()
    @serve.deployment(ray_actor_options={"num_cpus": 0})
    @serve.ingress(app)
    class Tools:
        @app.post("/who")
        def who(self, request: Request):
            return {k: v for k, v in request.headers.items() if k in WANTED}
        @app.post("/text")
        def text(self):
            from starlette.responses import PlainTextResponse
            return PlainTextResponse("grün")
        @app.post("/nothing")
        def nothing(self):
            from starlette.responses import Response
            return Response(status_code=204)
        @app.post("/status")
        async def status(self, request: Request):
            raise HTTPException((await request.json())["status"], "as you wish")
        @app.post("/broken")
        def broken(self):
            raise RuntimeError("inside")
        @app.post("/page")
        def page(self):
            from starlette.responses import HTMLResponse
            return HTMLResponse("<p>no JSON</p>")
        @app.post("/elsewhere")
        def elsewhere(self):
            from starlette.responses import RedirectResponse
            return RedirectResponse("http://127.0.0.1:1/")
        @app.post("/field")
        def field(self, number: int):
            return number
    name = os.environ["SYNAPSE_PLUGIN_RELEASE_CODE"]
    serve.run(Tools.bind(), name=name, route_prefix="/" + name)
WANTED = {"authorization", "synapse-user", "synapse-tenant", "accept-language", "content-type"}
"""
JOBS = ("environment", "size", "deploy")
CALLS = ("who", "text", "nothing", "status", "broken", "page", "elsewhere", "field", "missing")
TOOLS_CONFIG = {
    "code": "tools",
    "version": "0.1",
    "actions": {name: {"entrypoint": f"tools:{name}", "method": "job"} for name in JOBS}
    | {name: {"method": "restapi"} for name in CALLS},
}
SECRETS = {"SYNAPSE-User": "Token user-secret-1", "SYNAPSE-Tenant": "Token tenant-secret-1"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as a directory, and tools 0.1 as a zip."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(EXAMPLES / "letters", source / "letters")
    with zipfile.ZipFile(source / "tools@0.1.zip", "w") as archive:
        archive.writestr("config.yaml", json.dumps(TOOLS_CONFIG))  # JSON is YAML
        archive.writestr("tools.py", TOOLS)
    return source


@pytest.fixture(scope="module")
def agent(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    data = tmp_path_factory.mktemp("data") / "new"
    with running_agent("--plugins", str(source), "--data", str(data)) as agent:
        assert agent.http.patch("resources/policy/", json={"max_concurrent_jobs": 0}).status_code == 200
        yield agent
        assert agent.stderr == "Starting Ray ...\n"


@pytest.fixture
def client(agent: RunningAgent) -> Iterator[AgentClient]:
    with AgentClient(agent.url, agent.token, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def tools(agent: RunningAgent) -> str:
    body = {"plugin": "tools", "version": "0.1"}
    assert agent.http.post("plugin_releases/", json=body).status_code == 201
    return "tools@0.1"


@pytest.fixture(scope="module")
def deployed(agent: RunningAgent, tools: str) -> Iterator[str]:
    assert run(agent, tools, action="who").status_code == 409
    job = agent.wait(run(agent, tools, action="deploy").json()["job_id"])
    assert job["status"] == "SUCCEEDED", agent.http.get(f"jobs/{job['submission_id']}/logs/").json()
    yield tools
    assert agent.http.delete(f"serve_applications/{tools}/").status_code == 204


def run(agent: RunningAgent, lookup: str, /, headers: Any = None, **body: Any) -> httpx.Response:
    return agent.http.post(f"plugin_releases/{lookup}/run/", json=body, headers=headers)


def logged(agent: RunningAgent, response: httpx.Response) -> str:
    """What the job that was accepted wrote, by its end."""
    assert response.status_code == 202, response.text
    job_id = response.json()["job_id"]
    job = agent.wait(job_id)
    log = str(agent.http.get(f"jobs/{job_id}/logs/").json())
    assert job["status"] == "SUCCEEDED", log
    return log


def test_the_example_is_created_run_tailed_called_and_deleted(client: AgentClient) -> None:
    release = client.create_plugin_release("letters", "1.0.0")
    assert (release.plugin, release.version) == ("letters", "1.0.0")
    assert release.config["actions"]["count"] == {"entrypoint": "letters:count", "method": "job"}
    assert re.fullmatch("[0-9a-f]{64}", release.checksum or "")
    assert abs((release.created or 0) / 1000 - time.time()) < 600
    for lookup in ("letters@1.0.0", str(release.id)):
        assert client.get_plugin_release(lookup).to_dict() == release.to_dict()
    assert release.to_dict() in [each.to_dict() for each in client.list_plugin_releases().results]

    job = client.run_plugin_release("letters@1.0.0", "count", {"text": "to be"}, job_id="letters-1")
    assert (job["job_id"], job["status"]) == ("letters-1", "PENDING")
    with client.tail_job_logs("letters-1") as tail:
        lines = list(tail)
    assert tail.job_status == "SUCCEEDED"
    assert lines[-4:] == ["b 1", "e 1", "o 1", "t 1"]
    with pytest.raises(HTTPError, match="letters-1") as taken:
        client.run_plugin_release("letters@1.0.0", "count", {"text": ""}, job_id="letters-1")
    assert taken.value.status_code == 409

    with pytest.raises(HTTPError, match=r"not deployed.*serve.run") as undeployed:
        client.run_plugin_release("letters@1.0.0", "ask", {"text": "to be"})
    assert undeployed.value.status_code == 409
    job = client.run_plugin_release("letters@1.0.0", "deploy")
    with client.tail_job_logs(job["job_id"]) as tail:
        log = list(tail)
    assert tail.job_status == "SUCCEEDED", log
    answer = client.run_plugin_release("letters@1.0.0", "ask", {"text": "noon"})
    assert answer == {"n": 2, "o": 2}
    client.delete_serve_application("letters@1.0.0")

    client.delete_plugin_release("letters@1.0.0")
    for gone in (client.get_plugin_release, client.delete_plugin_release):
        with pytest.raises(NotFoundError, match=r"letters@1\.0\.0"):
            gone("letters@1.0.0")


def test_what_a_job_finds_in_its_environment(agent: RunningAgent, tools: str) -> None:
    response = run(agent, tools, SECRETS, action="environment", job_id="env-2", language="ko")
    environment = json.loads(logged(agent, response).strip().split("\n")[-1])
    release = agent.http.get(f"plugin_releases/{tools}").json()
    assert environment == {
        "SYNAPSE_ACTION_ENTRYPOINT": "tools:environment",
        "SYNAPSE_ACTION_PARAMS": "{}",
        "SYNAPSE_AGENT_TOKEN": agent.token,
        "SYNAPSE_AGENT_URL": agent.url,
        "SYNAPSE_JOB_ID": "env-2",
        "SYNAPSE_LANGUAGE": "ko",
        "SYNAPSE_PLUGIN_RELEASE_CHECKSUM": release["checksum"],
        "SYNAPSE_PLUGIN_RELEASE_CODE": "tools@0.1",
        "SYNAPSE_PLUGIN_RUN_TENANT": "tenant-secret-1",
        "SYNAPSE_PLUGIN_RUN_USER_TOKEN": "user-secret-1",
    }
    told = [agent.http.get(path).text for path in ("jobs/env-2/", "jobs/", "tasks/", "plugin_releases/")]
    told += [agent.stderr, *(path.read_bytes().decode("latin-1") for path in data_files(agent))]
    for text in told:
        for secret in (agent.token, "user-secret-1", "tenant-secret-1"):
            assert secret not in text


def data_files(agent: RunningAgent) -> list[Path]:
    words = Path(f"/proc/{agent.pid}/cmdline").read_text().split("\0")
    files = [path for path in Path(words[words.index("--data") + 1]).rglob("*") if path.is_file()]
    assert any(path.name == "index.sqlite3" for path in files)
    return files


def test_long_parameters_come_in_a_file(agent: RunningAgent, tools: str) -> None:
    response = run(agent, tools, action="size", params={"text": "é" * 40_000})
    assert logged(agent, response).endswith("\n40000 True\n")


def test_what_an_application_answers(agent: RunningAgent, deployed: str) -> None:
    answer = run(agent, deployed, SECRETS, action="who", language="de")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {
        "accept-language": "de",
        "content-type": "application/json",
        "synapse-user": "Token user-secret-1",
        "synapse-tenant": "Token tenant-secret-1",
    }
    assert run(agent, deployed, action="text").json() == "grün"
    assert run(agent, deployed, action="nothing").json() is None


@each_row(
    ("action", "params", "status", "words"),
    [
        # Its own 401 or 404 must not look like this agent's, and no client may repeat a call by itself.
        *(("status", {"status": status}, 400, "as you wish") for status in (400, 401, 403, 404, 409, 422)),
        ("status", {"status": 429}, 429, "as you wish"),
        *(("status", {"status": status}, 500, "as you wish") for status in (500, 502, 503, 504)),
        ("missing", {}, 400, "Not Found"),
        ("broken", {}, 500, "tools@0.1 answered 500"),
        ("page", {}, 500, "invalid JSON"),
        ("elsewhere", {}, 500, "answered 307"),
    ],
)
def test_what_an_application_refuses(
    agent: RunningAgent, deployed: str, action: str, params: dict[str, Any], status: int, words: str
) -> None:
    answer = run(agent, deployed, action=action, params=params)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert words in answer.json()["detail"]


def test_field_errors_of_an_application_stay_field_errors(agent: RunningAgent, deployed: str) -> None:
    answer = run(agent, deployed, action="field")
    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert error["loc"] == ["query", "number"]


@each_row(
    ("body", "status", "words"),
    [
        ({}, 422, "is required"),
        ({"action": ""}, 422, "must be a text"),
        ({"action": "a\x00b"}, 422, "must be a text"),
        ({"action": "none"}, 404, "its actions: broken, deploy"),
        ({"action": "size", "params": [1]}, 422, "must be an object"),
        ({"action": "size", "job_id": "a b"}, 422, "letters, digits"),
        ({"action": "size", "requirements": "x"}, 422, "list of texts"),
        ({"action": "who", "requirements": ["x"]}, 422, "can't be installed"),
    ],
)
def test_runs_that_are_refused(
    agent: RunningAgent, tools: str, body: dict[str, Any], status: int, words: str
) -> None:
    answer = run(agent, tools, **body)
    assert answer.status_code == status
    assert words in answer.text


def test_the_policy_holds_for_releases(agent: RunningAgent, tools: str) -> None:
    running = agent.submit("time.sleep(60)")
    try:
        assert agent.http.patch("resources/policy/", json={"max_concurrent_jobs": 1}).status_code == 200
        answer = run(agent, tools, action="environment")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    finally:
        agent.http.patch("resources/policy/", json={"max_concurrent_jobs": 0})
        agent.http.post(f"jobs/{running}/stop/")


@each_row(
    ("body", "status", "where", "words"),
    [
        ({}, 422, "plugin", "is required"),
        ({"plugin": "letters", "version": 1}, 422, "version", "must be a text"),
        ({"plugin": "../etc", "version": "1"}, 422, "plugin", "must be up to 100 letters"),
        ({"plugin": "letters", "version": "../1"}, 422, "version", "must be up to 64 letters"),
        ({"plugin": "letters", "version": "9"}, 404, "", "no letters@9 in"),
        ({"plugin": "unknown", "version": "1"}, 404, "", "no unknown@1 in"),
        ({"plugin": "bad", "version": "1"}, 422, "plugin", "bad@1.zip: is not a valid zip archive"),
        ({"plugin": "tools", "version": "0.1"}, 409, "", "already"),
    ],
)
def test_releases_that_are_not_created(
    agent: RunningAgent, tools: str, source: Path, body: Any, status: int, where: str, words: str
) -> None:
    (source / "bad@1.zip").write_bytes(b"PK\x03\x04 and nothing more")
    answer = agent.http.post("plugin_releases/", json=body)
    assert answer.status_code == status
    assert words in answer.text
    if where:
        assert answer.json()["detail"][0]["loc"] == ["body", where]


@each_row("lookup", ["letters", "..@", "a@b@c", "@", "x" * 300, "-1", "1.5", "%D9%A3"])
@each_row("method", ["GET", "DELETE"])
def test_lookups_that_are_none(agent: RunningAgent, lookup: str, method: str) -> None:
    answer = agent.http.request(method, f"plugin_releases/{lookup}")
    assert (answer.status_code, "code@version" in answer.text) == (400, True)
    assert agent.http.request(method, f"plugin_releases/{'9' * 18}").status_code == 404
