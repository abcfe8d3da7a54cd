"""Ray clusters of several nodes on one machine, of any version, in parts that can be killed or cut off."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from running_agent import TERMINAL, descendants, left_of

__all__ = ["Network", "Node", "RayCluster", "cluster_of", "gcs_address", "own_address", "redis_server"]

_LOOPBACK = "127.0.0.1"


def _environment(python: str, token: str, tmp: Path, more: dict[str, str]) -> dict[str, str]:
    dropped = {"RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH", "SYNAPSE_AGENT_TOKEN"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token, "TMPDIR": str(tmp)}
    environment["RAY_raylet_start_wait_time_s"] = "120"
    environment["PATH"] = os.pathsep.join((str(Path(python).parent), environment.get("PATH", os.defpath)))
    return environment | more


def free_ports(count: int, host: str = _LOOPBACK) -> list[int]:
    """Ports that are free now, below those that the system gives out by itself."""
    found: list[int] = []
    while len(found) < count:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as sock, suppress(OSError):
            sock.bind((host, port))
            found.append(port)
    return found


# Ray's processes go on without the command that started them; this stays their parent, so that they are
# found. `--block` would do the same, but ends all of them when one of them ends.
_PARENT = """
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
if subprocess.run(sys.argv[1:]).returncode:
    sys.exit("ray start failed")
while True:
    os.wait()
"""


class Node:
    """A `ray start` and all that it started."""

    def __init__(self, command: list[str], environment: dict[str, str], tmp: Path) -> None:
        self.tmp = tmp
        self._output = (tmp / "output").open("ab")
        self.process = subprocess.Popen(
            command, env=environment, stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True
        )

    def processes(self, *words: str) -> list[int]:
        """The node's processes in whose command line all these words are."""
        found: list[int] = []
        for pid, _ in descendants(self.process.pid):
            with suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if all(word in line for word in words):
                    found.append(pid)
        return found

    def kill(self) -> None:
        """All of it at once, as a machine that loses power."""
        everything = descendants(self.process.pid)
        for pid in [*(pid for pid, _ in everything), self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        left_of(everything, 10)
        self._output.close()


class RayCluster:
    """A head and workers, started by the Ray beside `python`; stopped and removed by `close`.

    Args:
        python: The interpreter of the environment whose Ray it is; ours by default.
        redis: Address of a Redis, for a cluster that survives its head.
        host: The head's address.
        prefix: What commands of the head begin with, such as `ip netns exec`.
    """

    def __init__(
        self,
        *,
        python: str = sys.executable,
        redis: str | None = None,
        host: str = _LOOPBACK,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.python = python
        self.token = secrets.token_hex(32)
        self.host = host
        self._prefix = prefix
        self._directory = Path(tempfile.mkdtemp(prefix="rc-", dir="/tmp"))
        self._more = {"RAY_REDIS_ADDRESS": redis} if redis else {}
        # A node that is cut off is found dead sooner than by default, or tests take minutes.
        self._more |= {"RAY_health_check_period_ms": "1000", "RAY_health_check_timeout_ms": "2000"}
        self._more |= {"RAY_health_check_failure_threshold": "5"}
        self.gcs_port, self.dashboard_port, self._client_port = free_ports(3)
        self.nodes: list[Node] = []
        self._started = 0
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.dashboard_port}"

    def close(self) -> None:
        for node in self.nodes:
            node.kill()
        self.http.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def start_head(self, *arguments: str) -> Node:
        ports = (f"--port={self.gcs_port}", f"--dashboard-port={self.dashboard_port}")
        more = (f"--ray-client-server-port={self._client_port}", f"--dashboard-host={self.host}")
        node = self._start(self._prefix, self.host, "--head", *ports, *more, *arguments)
        self.wait_until(lambda: bool(self.alive()), "Ray is not ready")
        return node

    def start_worker(
        self, *arguments: str, host: str = _LOOPBACK, prefix: tuple[str, ...] = (), gcs: str = ""
    ) -> Node:
        """Start a node that has the resource `worker`, and wait until the head knows it."""
        before = len(self.alive())
        address = gcs or f"{self.host}:{self.gcs_port}"
        resources = '--resources={"worker": 100}'
        node = self._start(prefix, host, f"--address={address}", resources, *arguments)
        self.wait_until(lambda: len(self.alive()) > before, "the worker is not there")
        return node

    def _start(self, prefix: tuple[str, ...], host: str, *arguments: str) -> Node:
        self._started += 1
        tmp = self._directory / str(self._started)
        (tmp / "tmp").mkdir(parents=True)
        names = ("dashboard-agent-listen-port", "dashboard-agent-grpc-port", "metrics-export-port")
        ports = [f"--{name}={port}" for name, port in zip(names, free_ports(3), strict=True)]
        command = [*prefix, sys.executable, "-c", _PARENT]
        command += [self.python, "-m", "ray.scripts.scripts", "start"]
        command += ["--min-worker-port=0", "--max-worker-port=0", f"--node-ip-address={host}", *ports]
        command += ["--disable-usage-stats", "--num-cpus=4", *arguments]
        command.append(f"--temp-dir={tmp / 'ray'}")
        environment = _environment(self.python, self.token, tmp / "tmp", self._more)
        node = Node(command, environment, tmp)
        self.nodes.append(node)
        return node

    def alive(self) -> list[dict[str, Any]]:
        with suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
            found = self.http.get("api/v0/nodes?detail=1").json()["data"]["result"]["result"]
            return [node for node in found if node["state"] == "ALIVE"]
        return []

    def wait_until(self, holds: Any, otherwise: str, timeout: float = 240) -> None:
        deadline = time.monotonic() + timeout
        while not holds():
            outputs = "\n".join((node.tmp / "output").read_text()[-2_000:] for node in self.nodes)
            assert time.monotonic() < deadline, f"{otherwise} after {timeout} s\n{outputs}"
            time.sleep(0.1)

    def submit(self, source: str, *, worker: bool = False, **body: Any) -> str:
        """Submit a Python program; on the worker, or where there is room."""
        job_id = f"j-{secrets.token_hex(5)}"
        script = self._directory / f"{job_id}.py"
        script.write_text(f"import os, sys, time\n{source}")
        body = {"entrypoint": f"{self.python} {script}", "submission_id": job_id} | body
        if worker:
            body["entrypoint_resources"] = {"worker": 0.001}
        self.http.post("api/jobs/", json=body).raise_for_status()
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.http.get(f"api/jobs/{job_id}").raise_for_status().json()
        return job

    def wait(self, job_id: str, *statuses: str, timeout: float = 90) -> dict[str, Any]:
        wanted = set(statuses) or TERMINAL
        self.wait_until(lambda: self.job(job_id)["status"] in wanted, f"{job_id} is not {wanted}", timeout)
        return self.job(job_id)

    def log_path(self, job_id: str) -> Path:
        """The longest of the files of that name on the cluster's nodes: a stub is shorter."""
        files = self._directory.glob(f"*/ray/session_*/logs/job-driver-{job_id}.log")
        return max(files, key=lambda path: path.stat().st_size)

    def raw_log(self, job_id: str) -> bytes:
        return self.log_path(job_id).read_bytes()

    @contextmanager
    def frozen_dashboard(self) -> Iterator[None]:
        """Stop the dashboard's processes, which keep their connections and answer nothing."""
        (pid, *_) = self.nodes[0].processes("dashboard/dashboard.py")
        frozen = [pid, *(child for child, _ in descendants(pid))]
        try:
            for process in frozen:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in frozen:
                os.kill(process, signal.SIGCONT)

    def kill_dashboard(self) -> tuple[list[str], dict[str, str], str]:
        """Kill the dashboard; what to start it with again."""
        pid = self.nodes[0].processes("dashboard/dashboard.py")[0]
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
        environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        cwd = str(Path(f"/proc/{pid}/cwd").readlink())
        below = descendants(pid)
        for victim in [pid, *(child for child, _ in below)]:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        left_of(below, 10)
        return command, environment, cwd

    @contextmanager
    def restarted_dashboard(self, killed: tuple[list[str], dict[str, str], str]) -> Iterator[None]:
        """Start the dashboard again; Ray does not by itself."""
        command, environment, cwd = killed
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.wait_until(lambda: bool(self.alive()), "the dashboard is not back")
            yield
        finally:
            below = descendants(process.pid)
            for pid in [process.pid, *(child for child, _ in below)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
            left_of(below, 10)


def own_address() -> str:
    """The address of this machine by which others reach it; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("203.0.113.1", 9))
        address: str = sock.getsockname()[0]
        return address


def gcs_address(pid: int) -> str:
    """The address of the cluster whose processes are below that one."""
    for child, _ in descendants(pid):
        with suppress(OSError):
            for word in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
                if word.startswith("--gcs-address="):
                    return word.partition("=")[2]
    raise AssertionError("there is no process that knows the cluster's address")


@contextmanager
def cluster_of(*, workers: int = 1, **options: Any) -> Iterator[RayCluster]:
    """A cluster with a head and so many workers."""
    with ExitStack() as stack:
        cluster = RayCluster(**options)
        stack.callback(cluster.close)
        cluster.start_head()
        for _ in range(workers):
            cluster.start_worker()
        yield cluster


@contextmanager
def redis_server(host: str = _LOOPBACK) -> Iterator[str]:
    """A Redis of its own; its address."""
    binary = shutil.which("redis-server")
    assert binary is not None
    (port,) = free_ports(1)
    directory = tempfile.mkdtemp(prefix="rr-", dir="/tmp")
    command = [binary, "--port", str(port), "--bind", host, "--save", "", "--dir", directory]
    command += ["--protected-mode", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"{host}:{port}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


class Network:
    """Machines with addresses of their own, joined by a switch: network namespaces, which need root.

    The agent is on this machine, which is joined to the switch too.
    """

    def __init__(self, machines: int = 2) -> None:
        self._name = f"r{secrets.token_hex(3)}"
        self._subnet = f"10.{100 + secrets.randbelow(100)}.{secrets.randbelow(250)}"
        self.addresses = [f"{self._subnet}.{number + 2}" for number in range(machines)]
        try:
            self._ip("link", "add", self._name, "type", "bridge")
            self._ip("addr", "add", f"{self._subnet}.1/24", "dev", self._name)
            self._ip("link", "set", self._name, "up")
            for number, address in enumerate(self.addresses):
                space, here, there = self._space(number), f"{self._name}h{number}", f"{self._name}n{number}"
                self._ip("netns", "add", space)
                self._ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
                self._ip("link", "set", here, "master", self._name, "up")
                self._ip("-n", space, "addr", "add", f"{address}/24", "dev", there)
                self._ip("-n", space, "link", "set", there, "up")
                self._ip("-n", space, "link", "set", "lo", "up")
                self._ip("-n", space, "route", "add", "default", "via", f"{self._subnet}.1")
        except BaseException:
            self.close()
            raise

    @property
    def gateway(self) -> str:
        """This machine's address on the switch."""
        return f"{self._subnet}.1"

    def prefix(self, number: int) -> tuple[str, ...]:
        """What a command that runs on that machine begins with."""
        return ("ip", "netns", "exec", self._space(number))

    def unplug(self, number: int) -> None:
        self._ip("link", "set", f"{self._name}h{number}", "down")

    def plug(self, number: int) -> None:
        self._ip("link", "set", f"{self._name}h{number}", "up")

    def hide(self, number: int) -> None:
        """Let nothing on this machine reach that one, while the others still do."""
        self._ip("route", "add", "blackhole", f"{self.addresses[number]}/32")

    def slow_down(self, number: int, rate: str) -> None:
        """Bound what that machine can send, as `tc` writes it."""
        name = f"{self._name}n{number}"
        shape = ["tbf", "rate", rate, "burst", "64kb", "latency", "200ms"]
        command = ["tc", "-n", self._space(number), "qdisc", "add", "dev", name, "root", *shape]
        subprocess.run(command, check=True, capture_output=True)

    def close(self) -> None:
        for number in range(len(self.addresses)):
            self._ip("netns", "del", self._space(number), check=False)
            self._ip("route", "del", "blackhole", f"{self.addresses[number]}/32", check=False)
        self._ip("link", "del", self._name, check=False)

    def _space(self, number: int) -> str:
        return f"{self._name}-{number}"

    def _ip(self, *arguments: str, check: bool = True) -> None:
        subprocess.run(["ip", *arguments], check=check, capture_output=True)
