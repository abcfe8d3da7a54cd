"""Containers, over a real engine: Podman's Docker-compatible API."""

from __future__ import annotations

import io
import itertools
import json
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_agent import RunningAgent, agent_command, agent_environment, running_agent, short_tmp
from tables import each_row

from synapse_agent.routes import ROUTES
from synapse_sdk.clients.agent import AgentClient

from .engine import PodmanEngine, busybox_base, missing, python_base, running_engine

pytestmark = pytest.mark.containers
needs_engine = pytest.mark.skipif(bool(missing()), reason=f"no container engine: {missing()}")

CONFIG = """\
code: {code}
version: "1.0.0"
actions:
  train: {{method: job, entrypoint: "plugin:train"}}
  predict: {{method: restapi, entrypoint: "plugin:predict"}}
"""

GREETER = """\
import os
import shout
from http.server import BaseHTTPRequestHandler, HTTPServer


def serve(greeting):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            text = f"{shout.loud(greeting)} from {os.environ['SYNAPSE_PLUGIN_RELEASE_CODE']}"
            self.wfile.write(text.encode())

    HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""

TIMES = ((1990 + n % 100, 1, 1, 0, 0, 0) for n in itertools.count())

# The engine on the tests' machine may raise no limit, so each agent gets an option for it.
LIMITS = ("--container-ulimit", "nofile=1024", "--container-ulimit", "nproc=1024")
NO_RAY = ("--ray", "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def engine() -> Iterator[PodmanEngine]:
    with running_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def base(engine: PodmanEngine) -> str:
    return busybox_base(engine)


@contextmanager
def container_agent(engine: PodmanEngine, *arguments: str) -> Iterator[RunningAgent]:
    """An agent that needs no Ray, with the network of this machine unless an option names another one."""
    network = () if "--container-network" in arguments else ("--container-network", "host")
    with running_agent(*NO_RAY, "--docker", engine.url, *LIMITS, *network, *arguments) as agent:
        yield agent


@pytest.fixture(scope="module")
def docker(engine: PodmanEngine, base: str) -> Iterator[RunningAgent]:
    with container_agent(engine, "--container-base", base) as agent:
        yield agent
        (line,) = agent.stderr.splitlines()
        assert line.endswith("Serving all the same, but Ray is unreachable at http://127.0.0.1:1")


@pytest.fixture(scope="module")
def hasty(engine: PodmanEngine, base: str) -> Iterator[RunningAgent]:
    """An agent that gives containers a second to answer."""
    with container_agent(engine, "--container-base", base, "--container-start-timeout", "1") as agent:
        yield agent


@pytest.fixture(scope="class")
def container(docker: RunningAgent) -> Iterator[dict[str, Any]]:
    container = create(docker, archive("alive", {"x": "alive"}))
    yield container
    docker.http.delete(f"containers/{container['id']}")


def archive(code: str, files: Mapping[str, str | bytes] | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in ({"config.yaml": CONFIG.format(code=code)} | dict(files or {})).items():
            # Packed with another time each time, as by somebody who tries again.
            packed.writestr(zipfile.ZipInfo(name, next(TIMES)), content)
    return target.getvalue()


def wheel(name: str, source: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(f"{name}.py", source)
        info = f"{name}-1.0.dist-info"
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")
    return target.getvalue()


def post(agent: RunningAgent, content: bytes, **fields: Any) -> httpx.Response:
    data = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return agent.http.post("containers/", files={"file": ("plugin.zip", content)}, data=data)


def begin(agent: RunningAgent, content: bytes, **fields: Any) -> str:
    response = post(agent, content, **fields)
    assert response.status_code == 202, response.text
    return str(response.json()["build_id"])


def wait_for_build(agent: RunningAgent, build_id: str, timeout: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        build: dict[str, Any] = agent.http.get(f"builds/{build_id}/").raise_for_status().json()
        if build["status"] in ("completed", "failed", "cancelled"):
            return build
        assert build["status"] in ("pending", "running")
        time.sleep(0.05)
    raise AssertionError(f"{build_id} is not over after {timeout} s")


def create(agent: RunningAgent, content: bytes, **fields: Any) -> dict[str, Any]:
    """The container, once its build is completed."""
    build = wait_for_build(agent, begin(agent, content, **fields), timeout=240)
    assert build["status"] == "completed", build
    container: dict[str, Any] = build["result"]
    return container


def wait_until(found: Callable[[], Any], timeout: float = 30) -> Any:
    """What `found` returns, as soon as that is something."""
    deadline = time.monotonic() + timeout
    while not (value := found()):
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(0.05)
    return value


def fetch(endpoint: str, path: str) -> str:
    return httpx.get(f"{endpoint}/{path}", trust_env=False).raise_for_status().text


def ours(engine: PodmanEngine, build_id: str) -> list[dict[str, Any]]:
    return [c for c in engine.containers() if c["Labels"].get("synapse.build") == build_id]


def listed(agent: RunningAgent, code: str) -> list[dict[str, Any]]:
    """The containers of plugins whose code begins like this."""
    results = agent.http.get("containers/", params={"page_size": 1000}).json()["results"]
    return [container for container in results if container["plugin_release"].startswith(code)]


def delete(agent: RunningAgent, container: Mapping[str, Any]) -> None:
    assert agent.http.delete(f"containers/{container['id']}").status_code == 204


@needs_engine
class TestMaking:
    def test_from_an_archive(self, docker: RunningAgent, engine: PodmanEngine) -> None:
        response = post(
            docker,
            archive("detector", {"greeting.txt": "hello", "deep/er.txt": "deep"}),
            envs={"LOG_LEVEL": "info", "API_TOKEN": "s3cr3t-value", "COPY": docker.token},
            params={"batch_size": 8},
            metadata={"owner": "vision"},
            labels={"team": "vision"},
            model="3",
            backend_container_id="31",
        )
        assert response.status_code == 202
        accepted = response.json()
        build_id = accepted["build_id"]
        assert accepted == {
            "build_id": build_id,
            "status_url": f"/builds/{build_id}/",
            "ws_url": None,
            "sse_url": None,
        }
        build = wait_for_build(docker, build_id)
        assert (build["status"], build["error"]) == ("completed", None)
        container = build["result"]
        assert container == {
            "id": container["id"],
            "container_id": container["container_id"],
            "plugin_release": "detector@1.0.0",
            "status": "running",
            "endpoint": container["endpoint"],
            "kind": "plugin_runtime",
            "model": 3,
            "params": {"batch_size": 8},
            "envs": {"LOG_LEVEL": "info", "API_TOKEN": "***", "COPY": "***"},
            "metadata": {"owner": "vision"},
            "labels": {"team": "vision"},
            "backend_container_id": 31,
        }
        endpoint = container["endpoint"]
        assert endpoint.startswith("http://127.0.0.1:")
        assert fetch(endpoint, "greeting.txt") == "hello"
        assert fetch(endpoint, "deep/er.txt") == "deep"
        environment = dict(line.split("=", 1) for line in fetch(endpoint, "env").splitlines())
        expected = {
            "API_TOKEN": "s3cr3t-value",
            "HOST": "127.0.0.1",
            "LOG_LEVEL": "info",
            "PORT": endpoint.rpartition(":")[2],
            "SYNAPSE_ACTION_ENTRYPOINT": "plugin:predict",
            "SYNAPSE_ACTION_PARAMS": '{"batch_size": 8}',
            "SYNAPSE_AGENT_TOKEN": docker.token,
            "SYNAPSE_AGENT_URL": docker.url,
            "SYNAPSE_MODEL": "3",
            "SYNAPSE_PLUGIN_RELEASE_CODE": "detector@1.0.0",
        }
        assert expected.items() <= environment.items()
        details = engine.inspect(container["container_id"])
        assert details["Config"]["Labels"]["team"] == "vision"
        assert {"Name": "RLIMIT_NOFILE", "Soft": 1024, "Hard": 1024} in details["HostConfig"]["Ulimits"]
        # No answer has a secret.
        number, docker_id = container["id"], container["container_id"]
        for path in (
            "containers/",
            f"containers/{number}",
            "containers/docker/",
            f"containers/docker/{docker_id}",
            f"containers/docker/{docker_id[:12]}",
            f"builds/{build_id}/",
        ):
            answer = docker.http.get(path)
            assert answer.status_code == 200
            assert "detector@1.0.0" in answer.text
            assert "s3cr3t-value" not in answer.text
            assert docker.token not in answer.text
        delete(docker, container)

    def test_by_the_client(self, docker: RunningAgent, tmp_path: Path) -> None:
        path = tmp_path / "plugin.zip"
        path.write_bytes(archive("by-client"))
        with AgentClient(docker.url, docker.token) as client:
            accepted = client.create_container(file=path, envs={"A": "b"}, metadata={"n": 1})
            assert accepted.ws_url is None
            assert accepted.sse_url is None
            build = wait_until(
                lambda: (
                    (b := client.get_build_status(accepted.build_id)).status in ("completed", "failed") and b
                )
            )
            assert build.result is not None, build
            container = client.get_container(build.result.id)
            assert container.to_dict() == build.result.to_dict()
            assert container.envs is not None
            assert container.envs["A"] == "b"
            assert client.update_container(container.id, "stopped").status == "stopped"
            assert container.container_id is not None
            assert client.start_docker_container(container.container_id).status in ("starting", "running")
            assert container.id in [c.id for c in client.list_docker_containers()]
            client.delete_container(container.id)
            assert container.id not in [c.id for c in client.list_containers().results]

    def test_with_parameters_too_long_for_the_environment(self, docker: RunningAgent) -> None:
        params = {"text": "x" * 200_000}
        container = create(docker, archive("long"), params=params)
        assert container["params"] == params
        assert "SYNAPSE_ACTION_PARAMS_FILE=_synapse_params.json\n" in fetch(container["endpoint"], "env")
        assert json.loads(fetch(container["endpoint"], "_synapse_params.json")) == params
        delete(docker, container)

    def test_the_same_one_again_is_a_conflict(self, docker: RunningAgent) -> None:
        container = create(docker, archive("twice"), envs={"A": "1"}, backend_container_id="b-1")
        again = post(docker, archive("twice"), envs={"A": "1"}, backend_container_id="b-1")
        assert again.status_code == 409
        assert str(container["id"]) in again.json()["detail"]
        other = create(docker, archive("twice"), envs={"A": "2"})
        assert post(docker, archive("twice"), envs={"A": "2"}).status_code == 409
        assert other["endpoint"] != container["endpoint"]
        delete(docker, container)
        delete(docker, other)
        # Gone, it may come again.
        delete(docker, create(docker, archive("twice"), envs={"A": "2"}))

    def test_an_image_is_shared_and_goes_with_the_last_container(
        self, docker: RunningAgent, engine: PodmanEngine
    ) -> None:
        before = engine.images()
        one = create(docker, archive("shared"), envs={"N": "1"})
        (image,) = engine.images() - before
        two = create(docker, archive("shared"), envs={"N": "2"})
        assert engine.images() - before == {image}
        delete(docker, one)
        assert engine.images() - before == {image}
        delete(docker, two)
        assert engine.images() == before

    def test_from_a_release(self, engine: PodmanEngine, base: str, tmp_path: Path) -> None:
        plugin = tmp_path / "released"
        plugin.mkdir()
        (plugin / "config.yaml").write_text(CONFIG.format(code="released"))
        (plugin / "x").write_text("from the release")
        with container_agent(engine, "--container-base", base, "--plugins", str(tmp_path)) as agent:
            created = agent.http.post("plugin_releases/", json={"plugin": "released", "version": "1.0.0"})
            assert created.status_code == 201, created.text
            body = {"plugin_release": "released@1.0.0", "labels": {"team": "vision"}}
            made = []
            for path, more in (("containers/docker/", {"metadata": {"n": 1}}), ("containers/", {"model": 7})):
                response = agent.http.post(path, json=body | more)
                assert response.status_code == 202, response.text
                build = wait_for_build(agent, response.json()["build_id"])
                assert build["status"] == "completed", build
                container = build["result"]
                assert container["plugin_release"] == "released@1.0.0"
                assert container["labels"] == {"team": "vision"}
                assert fetch(container["endpoint"], "x") == "from the release"
                environment = fetch(container["endpoint"], "env")
                assert f"SYNAPSE_PLUGIN_RELEASE_CHECKSUM={created.json()['checksum']}\n" in environment
                made.append(container)
            assert agent.http.get("containers/docker/").json() == made
            assert agent.http.get("containers/").json()["results"] == made
            assert agent.http.post("containers/", json=body | {"model": 7}).status_code == 409
            # A container has its own copy.
            assert agent.http.delete("plugin_releases/released@1.0.0").status_code == 204
            assert agent.http.get(f"containers/{made[0]['id']}").json() == made[0]
            for container in made:
                delete(agent, container)

    def test_with_python_for_a_base_image(self, engine: PodmanEngine) -> None:
        actions = "actions: {hi: {method: restapi, entrypoint: 'greeter:serve'}}"
        files = {
            "config.yaml": f"code: greeter\nversion: '1'\n{actions}\n",
            "greeter.py": GREETER,
            "requirements.txt": "--no-index\n./shout-1.0-py3-none-any.whl\n",
            "shout-1.0-py3-none-any.whl": wheel("shout", "def loud(text):\n    return text.upper()\n"),
        }
        with container_agent(engine, "--container-base", python_base(engine)) as agent:
            container = create(agent, archive("greeter", files), params={"greeting": "hello"})
            assert fetch(container["endpoint"], "") == "HELLO from greeter@1"
            docker_id = container["container_id"]
            assert agent.http.post(f"containers/docker/{docker_id}/stop/").status_code == 200
            # It was asked to end in a way that Python heeds, and not killed when its time was up.
            assert engine.inspect(docker_id)["State"]["ExitCode"] != 128 + signal.SIGKILL
            delete(agent, container)

    @pytest.mark.skipif(
        not Path("/usr/lib/cni/bridge").exists(), reason="containernetworking-plugins is missing"
    )
    def test_in_a_network_of_its_own(self, engine: PodmanEngine, base: str) -> None:
        with container_agent(
            engine, "--container-base", base, "--container-network", "bridge", "--container-host", "localhost"
        ) as agent:
            container = create(agent, archive("bridged", {"x": "inside"}))
            assert container["endpoint"].startswith("http://localhost:")
            assert fetch(container["endpoint"], "x") == "inside"
            assert "PORT=8000\n" in fetch(container["endpoint"], "env")
            assert agent.http.get("containers/").json()["results"] == [container]
            path = f"containers/docker/{container['container_id']}"
            assert agent.http.post(f"{path}/stop/").json()["status"] == "stopped"
            agent.http.post(f"{path}/start/")
            again = wait_until(lambda: agent.http.get(path).json()["endpoint"])
            assert fetch(again, "x") == "inside"
            delete(agent, container)


@needs_engine
class TestFailing:
    @pytest.mark.parametrize(
        ("what", "reason"),
        [
            ("fail", "ended with exit code 7 before it answered: serving, token *** giving up, ***"),
            ("hang", "did not answer HTTP on its PORT within 1 s: serving, token *** still loading"),
        ],
    )
    def test_the_container_does_not_answer(
        self, hasty: RunningAgent, engine: PodmanEngine, what: str, reason: str
    ) -> None:
        before = engine.images()
        build_id = begin(hasty, archive(what, {what: ""}), envs={"API_TOKEN": "s3cr3t-value"})
        build = wait_for_build(hasty, build_id)
        assert build == {"status": "failed", "result": None, "error": f"the container {reason}"}
        assert ours(engine, build_id) == []
        assert hasty.http.get("containers/").json()["count"] == 0
        assert engine.images() == before

    def test_the_base_image_is_nowhere(self, engine: PodmanEngine) -> None:
        with container_agent(engine, "--container-base", "registry.invalid/no/such:1") as agent:
            build = wait_for_build(agent, begin(agent, archive("a")))
            assert build["status"] == "failed"
            assert "Docker can't pull the base image registry.invalid/no/such:1: " in build["error"]

    def test_the_engine_refuses(self, engine: PodmanEngine, base: str) -> None:
        with container_agent(engine, "--container-base", base, "--container-network", "nosuch") as agent:
            build = wait_for_build(agent, begin(agent, archive("a")))
            assert build["status"] == "failed"
            assert "nosuch: network not found" in build["error"]
            assert "Docker can't create the container: " in build["error"]

    def test_the_base_image_knows_no_code_server(self, docker: RunningAgent) -> None:
        build = wait_for_build(docker, begin(docker, archive("a"), kind="code_server"))
        assert build["status"] == "failed"
        assert "no label synapse.code-server.command" in build["error"]

    def test_deleted_while_it_is_built(self, docker: RunningAgent, engine: PodmanEngine) -> None:
        build_id = begin(docker, archive("slow", {"hang": ""}))
        wait_until(lambda: ours(engine, build_id))
        (container,) = listed(docker, "slow")
        assert container["status"] == "building"
        assert container["endpoint"] is None
        number = container["id"]
        assert docker.http.patch(f"containers/{number}", json={"status": "stopped"}).status_code == 409
        assert docker.http.delete(f"containers/{number}").status_code == 204
        build = docker.http.get(f"builds/{build_id}/").json()
        assert build == {"status": "cancelled", "result": None, "error": "its container was deleted"}
        assert ours(engine, build_id) == []
        assert docker.http.get(f"containers/{number}").status_code == 404

    def test_deleted_before_it_began(self, docker: RunningAgent) -> None:
        # Two builds are at work, so that the third waits.
        builds = [begin(docker, archive(f"queue-{n}", {"hang": ""})) for n in range(3)]
        containers = listed(docker, "queue-")
        assert len(containers) == 3
        wait_until(lambda: docker.http.get(f"builds/{builds[1]}/").json()["status"] == "running")
        assert docker.http.get(f"builds/{builds[2]}/").json()["status"] == "pending"
        for container in reversed(containers):
            delete(docker, container)
        for build_id in builds:
            assert docker.http.get(f"builds/{build_id}/").json()["status"] == "cancelled"


@needs_engine
class TestLife:
    @pytest.mark.parametrize("how", ["docker", "patch"])
    def test_stopped_and_started(
        self, docker: RunningAgent, engine: PodmanEngine, container: dict[str, Any], how: str
    ) -> None:
        number, docker_id = container["id"], container["container_id"]

        def change(status: str) -> dict[str, Any]:
            if how == "patch":
                answer = docker.http.patch(f"containers/{number}", json={"status": status})
            else:
                verb = {"running": "start", "stopped": "stop"}[status]
                answer = docker.http.post(f"containers/docker/{docker_id}/{verb}/")
            assert answer.status_code == 200
            changed: dict[str, Any] = answer.json()
            return changed

        assert change("stopped") == container | {"status": "stopped", "endpoint": None}
        assert engine.inspect(docker_id)["State"]["Running"] is False
        assert change("stopped")["status"] == "stopped", "twice is fine"
        seen = docker.http.get("containers/docker/").json()
        assert container | {"status": "stopped", "endpoint": None} in seen
        assert change("running")["status"] in ("starting", "running")
        assert change("running")["status"] in ("starting", "running"), "twice is fine"
        wait_until(lambda: docker.http.get(f"containers/{number}").json()["status"] == "running")
        assert docker.http.get(f"containers/{number}").json() == container
        assert fetch(container["endpoint"], "x") == "alive"

    def test_somebody_else_stops_it(
        self, docker: RunningAgent, engine: PodmanEngine, container: dict[str, Any]
    ) -> None:
        number, docker_id = container["id"], container["container_id"]
        engine.http.post(f"containers/{docker_id}/stop", params={"t": "1"})
        seen = docker.http.get(f"containers/{number}").json()
        assert (seen["status"], seen["endpoint"]) == ("exited", None)
        assert docker.http.post(f"containers/docker/{docker_id}/start/").status_code == 200
        wait_until(lambda: docker.http.get(f"containers/{number}").json() == container)

    def test_somebody_else_removes_it(self, docker: RunningAgent, engine: PodmanEngine) -> None:
        container = create(docker, archive("removed"))
        number, docker_id = container["id"], container["container_id"]
        engine.http.delete(f"containers/{docker_id}", params={"force": "true"})
        seen = docker.http.get(f"containers/{number}").json()
        assert (seen["status"], seen["endpoint"]) == ("missing", None)
        assert docker.http.get(f"containers/docker/{docker_id}").status_code == 404
        assert docker_id not in docker.http.get("containers/docker/").text
        again = docker.http.patch(f"containers/{number}", json={"status": "running"})
        assert again.status_code == 409
        assert "removed" in again.json()["detail"]
        delete(docker, container)
        assert docker.http.get(f"containers/{number}").status_code == 404

    def test_what_is_not_the_agents_is_left_alone(
        self, docker: RunningAgent, engine: PodmanEngine, base: str
    ) -> None:
        created = engine.http.post("containers/create", json={"Image": base, "Cmd": ["sleep", "1"]})
        foreign = created.raise_for_status().json()["Id"]
        assert foreign not in docker.http.get("containers/docker/").text
        path = f"containers/docker/{foreign}"
        assert docker.http.get(path).status_code == 404
        assert docker.http.delete(path).status_code == 404
        assert docker.http.post(f"{path}/start/").status_code == 404
        assert docker.http.post(f"{path}/stop/").status_code == 404
        engine.inspect(foreign)
        engine.http.delete(f"containers/{foreign}")

    @each_row("container_id", ["999999", "no-such", "9" * 30])
    def test_a_container_that_is_not_there(self, docker: RunningAgent, container_id: str) -> None:
        for path in (f"containers/{container_id}", f"containers/docker/{container_id}"):
            assert docker.http.get(path).status_code == 404
            assert docker.http.delete(path).status_code == 404
        body = {"status": "stopped"}
        assert docker.http.patch(f"containers/{container_id}", json=body).status_code == 404
        assert docker.http.get(f"builds/{container_id}/").status_code == 404

    def test_in_pages(self, docker: RunningAgent) -> None:
        made = [create(docker, archive("paged"), envs={"N": str(n)}) for n in range(3)]
        page = docker.http.get("containers/", params={"page_size": 2}).json()
        assert page["previous"] is None
        seen = page["results"]
        while page["next"]:
            page = docker.http.get(f"containers/{page['next']}").json()
            seen += page["results"]
        assert seen[-3:] == made
        assert page["count"] == len(seen)
        assert docker.http.get("containers/", params={"page": 9999}).status_code == 404
        assert docker.http.get("containers/", params={"page": 0}).status_code == 422
        for container in made:
            delete(docker, container)


@needs_engine
class TestRestarts:
    def test_what_runs_is_found_again(self, engine: PodmanEngine, base: str, tmp_path: Path) -> None:
        options = ("--container-base", base, "--data", str(tmp_path / "data"))
        with container_agent(engine, *options) as agent:
            build_id = begin(agent, archive("kept", {"x": "kept"}), envs={"API_TOKEN": "s3cr3t-value"})
            kept = wait_for_build(agent, build_id)["result"]
            stopped = create(agent, archive("stopped"))
            agent.http.post(f"containers/docker/{stopped['container_id']}/stop/")
        assert fetch(kept["endpoint"], "x") == "kept", "the container outlives the agent"
        for file in (tmp_path / "data").rglob("*"):
            assert not file.is_file() or b"s3cr3t-value" not in file.read_bytes()
        with container_agent(engine, *options) as agent:
            results = agent.http.get("containers/").json()["results"]
            assert results == [kept, stopped | {"status": "stopped", "endpoint": None}]
            assert agent.http.get(f"builds/{build_id}/").json()["result"] == kept
            for container in results:
                delete(agent, container)
            assert ours(engine, build_id) == []

    @pytest.mark.parametrize(
        ("number", "status", "error"),
        [
            (signal.SIGTERM, "cancelled", "the agent stopped"),
            (signal.SIGKILL, "failed", "the agent ended while the build was under way"),
        ],
    )
    def test_a_build_that_was_under_way_is_over(
        self, engine: PodmanEngine, base: str, tmp_path: Path, number: signal.Signals, status: str, error: str
    ) -> None:
        options = ("--container-base", base, "--data", str(tmp_path / "data"))
        before = engine.images()
        with container_agent(engine, *options) as agent:
            build_id = begin(agent, archive("cut", {"hang": ""}))
            wait_until(lambda: ours(engine, build_id))
            agent.process.send_signal(number)
            agent.process.wait(20)
        assert bool(ours(engine, build_id)) == (number == signal.SIGKILL)
        with container_agent(engine, *options) as agent:
            build = agent.http.get(f"builds/{build_id}/").json()
            assert build == {"status": status, "result": None, "error": error}
            assert agent.http.get("containers/").json()["count"] == 0
            assert ours(engine, build_id) == []
            assert engine.images() == before

    def test_two_agents_do_not_share_the_data(self, engine: PodmanEngine, base: str, tmp_path: Path) -> None:
        options = ("--container-base", base, "--data", str(tmp_path))
        with container_agent(engine, *options):
            assert "another agent runs containers" in refusal("--docker", engine.url, *options)

    def test_the_engine_comes_and_goes(self) -> None:
        with running_engine() as engine:
            base = busybox_base(engine)
            engine.stop()
            with container_agent(engine, "--container-base", base) as agent:
                gone = {"detail": f"Docker is unreachable at {engine.url}"}
                assert f"Serving all the same, but {gone['detail']}\n" in agent.stderr
                for path in ("containers/", "containers/docker/", "containers/1"):
                    answer = agent.http.get(path)
                    assert (answer.status_code, answer.json()) == (503, gone), path
                answer = post(agent, archive("later"))
                assert (answer.status_code, answer.json()) == (503, gone)
                engine.start()
                container = create(agent, archive("later", {"x": "later"}))
                path = f"containers/docker/{container['container_id']}"
                engine.stop()
                for answer in (
                    agent.http.get(path),
                    agent.http.post(f"{path}/stop/"),
                    agent.http.delete(f"containers/{container['id']}"),
                ):
                    assert (answer.status_code, answer.json()) == (503, gone)
                assert fetch(container["endpoint"], "x") == "later", "it does not need the engine to run"
                engine.start()
                assert agent.http.get(path).json() == container
                delete(agent, container)


@needs_engine
class TestRefusing:
    @pytest.mark.parametrize(
        ("files", "words"),
        [
            (b"not a zip", "not a valid zip archive"),
            ({}, "no config.yaml at its top level"),
            ({"config.yaml": "code: a\nversion: 1.0\nactions: {}\n"}, "version must be a string"),
            ({"config.yaml": "code: a/b\nversion: '1'\nactions: {}\n"}, "code must be a string"),
            ({"config.yaml": CONFIG.format(code="a"), "../evil": "x"}, "is not an allowed path"),
            ({"config.yaml": CONFIG.format(code="a"), "/etc/evil": "x"}, "is not an allowed path"),
        ],
    )
    def test_an_archive(
        self, docker: RunningAgent, files: bytes | dict[str, str], words: str, tmp_path: Path
    ) -> None:
        content = files
        if isinstance(files, dict):
            target = io.BytesIO()
            with zipfile.ZipFile(target, "w") as packed:
                for name, text in files.items():
                    packed.writestr(name, text)
            content = target.getvalue()
        assert isinstance(content, bytes)
        answer = post(docker, content)
        assert answer.status_code == 422
        (error,) = answer.json()["detail"]
        assert error["loc"] == ["body", "file"]
        assert words in error["msg"]

    def test_a_bomb(self, docker: RunningAgent) -> None:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("config.yaml", CONFIG.format(code="bomb"))
            with packed.open("zeros", "w", force_zip64=True) as entry:
                for _ in range(210):
                    entry.write(bytes(1 << 20))
        answer = post(docker, target.getvalue())
        assert answer.status_code == 422
        assert "more than 200 MiB" in answer.json()["detail"][0]["msg"]

    def test_an_archive_that_is_too_large_is_not_held_in_memory(self, docker: RunningAgent) -> None:
        def body() -> Iterator[bytes]:
            yield b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
            for _ in range(201):
                yield bytes(1 << 20)
            yield b"\r\n--limit--\r\n"

        # The peak begins anew; others before may have needed more.
        Path(f"/proc/{docker.pid}/clear_refs").write_text("5")
        before = peak_memory(docker.pid)
        headers = {"Content-Type": "multipart/form-data; boundary=limit"}
        answer = docker.http.post("containers/", content=body(), headers=headers)
        assert answer.status_code == 413
        assert "200 MiB" in answer.json()["detail"]
        assert peak_memory(docker.pid) - before < 64 << 20

    def test_another_release_than_it_says(self, docker: RunningAgent) -> None:
        answer = post(docker, archive("a"), plugin_release="b@1.0.0")
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "plugin_release"]

    @each_row(
        ("body", "loc"),
        [
            ({}, ["plugin_release"]),
            ({"plugin_release": ""}, ["plugin_release"]),
            ({"plugin_release": "a@1", "kind": "vm"}, ["kind"]),
            ({"plugin_release": "a@1", "model": "3"}, ["model"]),
            ({"plugin_release": "a@1", "model": 1.5}, ["model"]),
            ({"plugin_release": "a@1", "params": []}, ["params"]),
            ({"plugin_release": "a@1", "envs": {"A_TOKEN": 1}}, ["envs", "A_TOKEN"]),
            ({"plugin_release": "a@1", "envs": {"A=B": "s3cr3t"}}, ["envs", "A=B"]),
            ({"plugin_release": "a@1", "envs": {"": "s3cr3t"}}, ["envs", ""]),
            ({"plugin_release": "a@1", "envs": {"A": "s3cr3t\0"}}, ["envs", "A"]),
            ({"plugin_release": "a@1", "envs": {"A": "x" * 131_072}}, ["envs", "A"]),
            ({"plugin_release": "a@1", "envs": {"PORT": "80"}}, ["envs", "PORT"]),
            ({"plugin_release": "a@1", "labels": {"synapse.agent": "x"}}, ["labels", "synapse.agent"]),
            ({"plugin_release": "a@1", "backend_container_id": True}, ["backend_container_id"]),
            ({"plugin_release": "a@1", "backend_container_id": 1.5}, ["backend_container_id"]),
        ],
    )
    def test_a_field(self, docker: RunningAgent, body: dict[str, Any], loc: list[str]) -> None:
        answer = docker.http.post("containers/", json=body)
        assert answer.status_code == 422
        (error,) = answer.json()["detail"]
        assert error["loc"] == ["body", *loc]
        assert "s3cr3t" not in answer.text

    @each_row(
        ("content", "headers", "status"),
        [
            (b"{", {"Content-Type": "application/json"}, 400),
            (b"[]", {"Content-Type": "application/json"}, 422),
            (b"", {"Content-Type": "multipart/form-data"}, 400),
            (b"junk", {"Content-Type": "multipart/form-data; boundary=b"}, 400),
            (b"--b\r\n\r\nx\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 400),
            (b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 422),
            (
                b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx',
                {"Content-Type": "multipart/form-data; boundary=b"},
                400,
            ),
        ],
    )
    def test_a_body(self, docker: RunningAgent, content: bytes, headers: dict[str, str], status: int) -> None:
        answer = docker.http.post("containers/", content=content, headers=headers)
        assert answer.status_code == status
        assert answer.json()["detail"]

    def test_a_release_that_is_not_there(self, docker: RunningAgent) -> None:
        for path in ("containers/", "containers/docker/"):
            answer = docker.http.post(path, json={"plugin_release": "nobody@9.9.9"})
            assert answer.status_code == 404
            assert "nobody@9.9.9" in answer.json()["detail"]

    def test_a_status_that_it_does_not_know(self, docker: RunningAgent) -> None:
        answer = docker.http.patch("containers/1", json={"status": "flying"})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["msg"] == "must be one of running, stopped"


class TestWithoutAnEngine:
    def test_the_agent_runs_no_containers(self) -> None:
        with running_agent(*NO_RAY) as agent:
            for route in (r for r in ROUTES if r.path.startswith(("/containers/", "/builds/"))):
                path = route.path.replace("{container_id}", "1").replace("{build_id}", "b")
                answer = agent.http.request(route.method, path)
                assert answer.status_code == 501, route.operation
                assert answer.json()["error_type"] == "not_supported"
                assert "--docker" in answer.json()["message"]

    @each_row(
        ("options", "words"),
        [
            (("--container-base", "a:1"), "need --docker"),
            (("--docker", "tcp://127.0.0.1:1", "--container-base", "a:1"), "such as unix:///run/docker.sock"),
            (("--docker", "unix:///x"), "needs --container-base"),
            (("--docker", "unix:///x", "--container-base", "a\nRUN evil"), "not an image name"),
            (
                ("--docker", "unix:///x", "--container-base", "a", "--container-network", "a b"),
                "not a network name",
            ),
            (
                ("--docker", "unix:///x", "--container-base", "a", "--container-host", "a/b"),
                "not a host name or address",
            ),
            (("--docker", "unix:///x", "--container-base", "a", "--container-ulimit", "x"), "nofile=1024"),
            (("--docker", "unix:///x", "--container-base", "a", "--container-start-timeout", "0"), "above 0"),
        ],
    )
    def test_options_that_cannot_be(self, options: tuple[str, ...], words: str) -> None:
        assert words in refusal(*options)


def peak_memory(pid: int) -> int:
    """Bytes of memory that the process held at most so far."""
    words = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()
    return int(words[0]) << 10


def refusal(*options: str) -> str:
    """The sentence with which an agent refuses to start."""
    with short_tmp() as tmp:
        done = subprocess.run(
            agent_command("--port", "0", *NO_RAY, *options),
            env=agent_environment(tmp),
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr
