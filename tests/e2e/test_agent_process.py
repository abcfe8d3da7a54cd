"""How the agent starts, and that nothing is left of it whatever ends it."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from running_agent import (
    RunningAgent,
    agent_command,
    agent_environment,
    dashboard,
    descendants,
    left_of,
    ray_token,
    running_agent,
    short_tmp,
)

pytestmark = pytest.mark.ray


def serve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    with short_tmp() as tmp:
        return subprocess.run(
            agent_command(*arguments),
            env=agent_environment(tmp, **environment),
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "{taken}"], "port {taken} on 127.0.0.1 is taken"),
        (["--port", "99999"], "no port"),
        (["--host", "203.0.113.1", "--port", "0"], "can't listen on 203.0.113.1"),
        (["--host", "no.such.host.invalid", "--port", "0"], "can't listen on no.such.host.invalid"),
        (["--port", "0", "--token", "é"], "printable ASCII"),
        (["--port", "0", "--token", "fifteen-letters"], "at least 16 characters"),
        (["--port", "0", "--token-file", "/no/such/file"], "can't read the token file: No such file"),
        (["--port", "0", "--ray", "127.0.0.1:8265"], "--ray takes the URL"),
        (["--port", "0", "--ray", "http://127.0.0.1:8265/?x=1"], "without a query"),
        (
            ["--port", "0", "--ray", "http://someone:s3cret@127.0.0.1:8265", "--ray-token", "t0ken"],
            "both would be sent as the Authorization header",
        ),
        (["--port", "0", "--ray-bind", "here"], "--ray-bind takes an IP address"),
        (["--port", "0", "--ray-bind", "10.0.0.1", "--ray", "http://127.0.0.1:1"], "--ray names another"),
        (["--port", "0", "--public-url", "example.org"], "--public-url takes the URL"),
        (["--port", "0", "--public-url", "https://a/?x"], "--public-url takes a URL without"),
        (["--port", "0", "--trusted-proxy", "10.0.0.300"], "--trusted-proxy: "),
        (["--port", "0", "--plugins", "/no/such/place"], "--plugins takes a directory"),
        (["--port", "0", "--data", "/dev/null/data"], "can't use the database /dev/null/data/index.sqlite3"),
        (["--port", "0", "--ray", "http://127.0.0.1:1", "--ready-file", "/no/such/place"], "can't write"),
    ],
)
def test_what_stops_it_from_serving_is_one_sentence(arguments: list[str], words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = serve(*(argument.format(taken=port) for argument in arguments))
    assert done.returncode == 1
    last = done.stderr.strip().split("\n")[-1]
    assert last.startswith("synapse-agent: ")
    assert words.format(taken=port) in last
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr
    assert "t0ken" not in done.stderr


@pytest.mark.parametrize(("missing", "extra"), [("ray", "agent-ray"), ("aiohttp", "agent")])
def test_without_the_extra_it_says_how_to_get_it(missing: str, extra: str) -> None:
    code = f"import sys; sys.modules['{missing}'] = None\nfrom synapse_agent.__main__ import main\n"
    code += "sys.exit(main(['serve', '--port', '0']))"
    with short_tmp() as tmp:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=agent_environment(tmp),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert f'pip install "synapse-sdk[{extra}]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_what_it_tells_when_it_is_ready(agent: RunningAgent) -> None:
    assert stat.S_IMODE((agent.tmp / "ready.json").stat().st_mode) == 0o600
    # The token of this one was made by the agent, so it is shown; the process list has no secret.
    assert len(agent.token) >= 40
    assert agent.token not in Path(f"/proc/{agent.pid}/cmdline").read_text()
    assert stat.S_IMODE(agent.directory.stat().st_mode) == 0o700


def test_all_of_its_ports_are_on_loopback(agent: RunningAgent) -> None:
    # A driver and workers of its own, which listen as well.
    job_id = agent.submit(
        "import ray\nray.init()\nray.get(ray.remote(lambda: 1).remote())\n"
        "print('up', flush=True)\ntime.sleep(100)"
    )
    try:
        wait_until(lambda: "up\n" in agent.http.get(f"jobs/{job_id}/logs/").json())
        addresses = listening({agent.pid} | {pid for pid, _ in descendants(agent.pid)})
    finally:
        agent.http.post(f"jobs/{job_id}/stop/")
    # GCS, raylet, dashboard, its agent, metrics, driver, worker, the agent itself.
    assert len(addresses) >= 8
    assert all(address.is_loopback for address in addresses), addresses


def listening(pids: set[int]) -> list[ipaddress.IPv4Address]:
    """Return the addresses that these processes listen on, IPv4 or mapped to it."""
    links: set[str] = set()
    for pid in pids:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    links.add(str(descriptor.readlink()))
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in links:
                last = fields[1].partition(":")[0][-8:]
                found.append(ipaddress.IPv4Address(bytes.fromhex(last)[::-1]))
    return found


def test_without_a_reachable_ray(agent: RunningAgent) -> None:
    with running_agent("--ray", "http://127.0.0.1:1", SYNAPSE_AGENT_TOKEN="given-token-of-a-user") as lonely:
        assert lonely.token == "given-token-of-a-user"
        health = lonely.http.get("health/")
        assert health.status_code == 200
        assert health.json()["ray_available"] is False
        assert "unreachable" in health.json()["message"]
        for method, path in (
            *(
                ("GET", path)
                for path in ("jobs/", "jobs/x/", "jobs/x/logs/", "jobs/x/logs/stream/", "nodes/")
            ),
            *(
                ("GET", path)
                for path in ("tasks/", "gpu_status/", "serve_applications/", "resources/cluster/")
            ),
            ("POST", "jobs/x/stop/"),
        ):
            response = lonely.http.request(method, path)
            assert (response.status_code, list(response.json())) == (503, ["detail"]), path
        response = lonely.http.post("plugin_releases/run_debug/", json={"action": "a:b"})
        assert response.status_code == 503
        assert lonely.http.get("resources/policy/").status_code == 200
        assert "Serving all the same" in lonely.stderr
        lonely.process.terminate()
        assert lonely.process.wait(60) == 0
        assert lonely.process.stdout is not None
        assert "given-token-of-a-user" not in lonely.process.stdout.read()
        assert not (lonely.tmp / "ready.json").exists()


def test_a_ray_that_refuses_us(agent: RunningAgent) -> None:
    with running_agent("--ray", dashboard(agent), "--ray-token", "wrong") as other:
        assert "refused" in other.http.get("health/").json()["message"]
        response = other.http.get("jobs/")
        assert response.status_code == 503
        assert "wrong" not in response.text


def test_killed_by_a_signal_it_cannot_handle() -> None:
    with running_agent() as agent:
        agent.wait(agent.submit("time.sleep(100)"), "RUNNING")
        below = descendants(agent.pid)
        assert len(below) > 10
        agent.process.kill()
        assert left_of(below, 60) == set()
        assert list(agent.tmp.glob("synray-*")) == []


def test_stopped_in_order() -> None:
    with short_tmp() as elsewhere:
        code = "import time; import os; os.setsid(); time.sleep(100)"
        with running_agent() as agent:
            # A process that the job leaves behind in a session of its own is not left either.
            job_id = agent.submit(
                f"import subprocess\nsubprocess.Popen([sys.executable, '-c', {code!r}])"
                "\nprint('both run', flush=True)\ntime.sleep(100)"
            )
            wait_until(lambda: "both run" in agent.http.get(f"jobs/{job_id}/logs/").json())
            below = descendants(agent.pid)
            agent.process.send_signal(signal.SIGTERM)
            assert agent.process.wait(60) == 0
            assert left_of(below, 10) == set()
            assert sorted(path.name for path in agent.tmp.iterdir()) == ["stderr"]
            assert agent.stderr == "Starting Ray ...\n"
            assert agent.process.stdout is not None
            assert agent.token in agent.process.stdout.read()
        assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "begun"), [(signal.SIGINT, "synray-*/lock"), (signal.SIGHUP, "synray-*/ray/session_latest")]
)
def test_stopped_while_it_starts(number: signal.Signals, begun: str) -> None:
    with short_tmp() as tmp:
        stale = tmp / "synray-stale"
        stale.mkdir()
        (stale / "lock").touch()
        process = subprocess.Popen(
            agent_command("--port", "0"),
            env=agent_environment(tmp),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: not stale.exists(), "what a dead agent left is removed at the start")
        wait_until(lambda: list(tmp.glob(begun)) and descendants(process.pid))
        below = descendants(process.pid)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0
        assert left_of(below, 10) == set()
        assert list(tmp.iterdir()) == []
        assert stderr == "Starting Ray ...\n"


def test_when_ray_ends_the_agent_says_so() -> None:
    with running_agent() as agent:
        (guard,) = (pid for pid, _ in descendants(agent.pid) if parent(pid) == agent.pid)
        below = descendants(agent.pid)
        (ray,) = (pid for pid, _ in below if parent(pid) == guard)
        job_id = agent.submit("print('hello', flush=True)\ntime.sleep(100)")
        agent.wait(job_id, "RUNNING")
        with (
            running_agent("--ray", dashboard(agent), RAY_AUTH_TOKEN=ray_token(agent)) as other,
            other.http.stream("GET", f"jobs/{job_id}/logs/stream/") as response,
        ):
            chunks = response.iter_text()
            while "hello" not in next(chunks):
                pass
            os.kill(ray, signal.SIGKILL)
            rest = "".join(chunks)
            assert '"type": "error"' in rest
            assert '"status_code": 503' in rest
            assert other.http.get("health/").json()["ray_available"] is False
            assert other.stderr == ""
        assert agent.process.wait(60) == 1
        assert left_of(below, 10) == set()
        assert agent.stderr.endswith("synapse-agent: Ray ended by itself, so the agent stops too\n")
        assert list(agent.tmp.glob("synray-*")) == []


def wait_until(condition: Callable[[], object], meaning: str = "it does not come") -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, meaning
        time.sleep(0.02)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
