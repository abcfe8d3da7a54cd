"""The files in deploy/: each is used as an operator would, as far as one machine without a registry can."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from checkout import ROOT
from running_agent import running_agent, short_tmp

from synapse_agent.routes import PROBE_ROUTES
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.testing import FakeAgent

from .engine import PodmanEngine, missing, python_base, running_engine

yaml = pytest.importorskip("yaml")

DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
TOKEN = "a-token-for-the-container"


def kubernetes() -> list[dict[str, Any]]:
    """The resources of deploy/kubernetes."""
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "agent.yaml").read_text()))


def pod() -> dict[str, Any]:
    (deployment,) = (found for found in kubernetes() if found["kind"] == "Deployment")
    template: dict[str, Any] = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    return template


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def unit_lines(name: str) -> list[str]:
    lines = (DEPLOY / "synapse-agent.service").read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def commands() -> dict[str, list[str]]:
    """The agent's options in each of the files."""
    (start,) = unit_lines("ExecStart")
    return {
        "compose": compose()["agent"]["command"],
        "kubernetes": pod()["spec"]["containers"][0]["args"],
        "systemd": shlex.split(start)[2:],
    }


def here(options: list[str]) -> list[str]:
    """The options for an agent on this machine, whose Ray is not there."""
    words = [word for option in options for word in option.split("=", 1)]
    words = ["http://agent.example.org" if "PUBLIC_URL" in word else word for word in words]
    for name, value in (("--ray", "http://127.0.0.1:1"), ("--host", "127.0.0.1")):
        if name in words:
            words[words.index(name) + 1] = value
    return words


@pytest.mark.parametrize("file", commands())
def test_the_options_are_the_agents(file: str) -> None:
    with running_agent(*here(commands()[file])) as agent:
        assert httpx.get(f"{agent.url}/livez").status_code == 200
        assert agent.http.get("health/").json()["ray_available"] is False


# -- Kubernetes


def test_the_resources_belong_together() -> None:
    resources = {found["kind"]: found for found in kubernetes()}
    assert resources["Service"]["spec"]["selector"] == pod()["metadata"]["labels"]
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pod()["spec"]["volumes"][:1]]
    assert claims == [resources["PersistentVolumeClaim"]["metadata"]["name"]]
    (container,) = pod()["spec"]["containers"]
    probes = {container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe")}
    assert probes == {route.path for route in PROBE_ROUTES}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod()["spec"]["securityContext"]["runAsNonRoot"] is True
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_reads_them() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", DEPLOY / "kubernetes"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    images = [
        found["spec"]["template"]["spec"]["containers"][0]["image"]
        for found in yaml.safe_load_all(done.stdout)
        if found["kind"] == "Deployment"
    ]
    assert images == ["registry.example.org/synapse-agent:0.1.0"]


# -- systemd


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_well_confined(tmp_path: Path) -> None:
    unit = tmp_path / "synapse-agent.service"
    text = (DEPLOY / unit.name).read_text()
    unit.write_text(text.replace("/opt/synapse-agent/bin/synapse-agent", sys.executable))
    for arguments in (["verify", "--man=no"], ["security", "--offline=true", "--threshold=20"]):
        done = subprocess.run(
            ["systemd-analyze", *arguments, unit], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


# -- nginx


@contextmanager
def nginx(agent_url: str) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Run nginx with deploy/nginx.conf in front of the agent; its port, and what trusts its certificate."""
    assert NGINX is not None
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with short_tmp() as tmp, socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
        chosen.close()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(tmp / "privkey.pem")
        certificate.cert_chain_pems[0].write_to_path(tmp / "fullchain.pem")
        site = (DEPLOY / "nginx.conf").read_text()
        for ours, this in (
            ("server agent:8000;", f"server {httpx.URL(agent_url).netloc.decode()};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
            ("/etc/nginx/tls/", f"{tmp}/"),
        ):
            assert site.count(ours) >= 1, ours
            site = site.replace(ours, this)
        (tmp / "site.conf").write_text(site)
        temporary = "".join(
            f"{kind}_temp_path {tmp}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (tmp / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {tmp}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}include {tmp}/site.conf;\n}}\n"
        )
        with (tmp / "output").open("w+") as output:
            process = subprocess.Popen(
                [NGINX, "-p", tmp, "-c", tmp / "nginx.conf", "-e", "stderr"], stdout=output, stderr=output
            )
            try:
                deadline = time.monotonic() + 30
                while not listens(port):
                    assert process.poll() is None, (tmp / "output").read_text()
                    assert time.monotonic() < deadline, "nginx does not listen"
                    time.sleep(0.02)
                yield port, trust
            finally:
                process.terminate()
                process.wait(20)


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_nginx_passes_on_lines_as_they_come_and_large_bodies(protocol: Any) -> None:
    with (
        FakeAgent() as agent,
        nginx(agent.serve()) as (port, trust),
        AgentClient(
            f"https://localhost:{port}/", agent.token, verify=trust, timeout={"read": 20}, max_retries=0
        ) as client,
    ):
        job = agent.add_job("train", logs=["first"])
        with client.tail_job_logs("train", protocol=protocol) as stream:
            assert next(stream) == "first"
            job.log("second")
            assert next(stream) == "second", "nginx does not keep it until there is more"
            job.succeed()
            assert list(stream) == []
        modules = {"m": f"# {'x' * (2 << 20)}"}
        run = client.run_debug_plugin_release("m", modules=modules)
        assert agent.jobs[run.job_id].request["modules"] == modules


# -- the container image


@pytest.fixture(scope="module")
def engine() -> Iterator[PodmanEngine]:
    if missing():
        pytest.skip(f"no container engine: {missing()}")
    with running_engine() as engine:
        yield engine


def build_context(wheels: Path) -> Iterator[bytes]:
    """A tar of what .dockerignore lets through, and of the packages that there is no index for here."""
    target = io.BytesIO()
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name in (*allowed, "deploy/Containerfile"):
            tar.add(ROOT / name, name, filter=lambda info: None if "__pycache__" in info.name else info)
        tar.add(wheels, "wheels")
    target.seek(0)
    while chunk := target.read(1 << 20):
        yield chunk


@pytest.mark.containers
def test_the_image_serves_as_nobody_with_a_read_only_root(engine: PodmanEngine, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", wheels]
    subprocess.run([*command, f"{ROOT}[agent]", "hatchling"], check=True, timeout=600)
    arguments = {"BASE": python_base(engine), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/src/wheels"}
    built = engine.http.post(
        "build",
        params={
            "dockerfile": "deploy/Containerfile",
            "t": "synapse-agent:test",
            "buildargs": json.dumps(arguments),
            "rm": "1",
            "layers": "false",
        },
        content=build_context(wheels),
        headers={"Content-Type": "application/x-tar"},
        timeout=600,
    )
    assert "synapse-agent:test" in " ".join(engine.images()), built.text[-2000:]
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    service = compose()["agent"]
    limits = [{"Name": name, "Soft": 1024, "Hard": 1024} for name in ("nproc", "nofile")]
    config = {
        "Image": "synapse-agent:test",
        "Cmd": [*here(service["command"]), "--port", str(port)],
        "Env": [f"SYNAPSE_AGENT_TOKEN={TOKEN}"],
        "User": service["user"],
        "HostConfig": {
            "NetworkMode": "host",
            "Ulimits": limits,
            "ReadonlyRootfs": service["read_only"],
            "CapDrop": service["cap_drop"],
            "SecurityOpt": service["security_opt"],
            "Tmpfs": dict.fromkeys(service["tmpfs"], ""),
        },
    }
    created = engine.http.post("containers/create", json=config)
    assert created.status_code == 201, created.text
    path = f"containers/{created.json()['Id']}"
    started = engine.http.post(f"{path}/start")
    assert started.status_code == 204, started.text
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": TOKEN}) as client:
            wait_until_ready(client, engine, path)
            changed = client.patch("resources/policy/", json={"max_concurrent_jobs": 9})
            assert changed.json()["max_concurrent_jobs"] == 9, "/data can be written to"
        pid = engine.http.get(f"{path}/json").json()["State"]["Pid"]
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert set(status["Uid"].split()) == {"65534"}
        assert status["CapEff"] == "0" * 16
        assert status["NoNewPrivs"] == "1"
        assert not any(os.access(f"/proc/{pid}/root/{name}", os.F_OK) for name in ("data/x", "x"))
        stopped = time.monotonic()
        assert engine.http.post(f"{path}/stop", params={"t": "30"}).status_code == 204
        assert time.monotonic() - stopped < 30, "SIGTERM ends it"
        assert engine.http.get(f"{path}/json").json()["State"]["ExitCode"] == 0
    finally:
        engine.http.delete(path, params={"force": "1", "v": "1"})


def wait_until_ready(client: httpx.Client, engine: PodmanEngine, path: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if client.get("readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        log = engine.http.get(f"{path}/logs", params={"stdout": "1", "stderr": "1"})
        running = engine.http.get(f"{path}/json").json()["State"]["Running"]
        assert running, log.text
        assert time.monotonic() < deadline, log.text
        time.sleep(0.1)
