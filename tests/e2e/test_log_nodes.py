"""Logs that lie on another node than the head's, and what happens when parts of the cluster go away.

`make soak RAY=1` and `make test-rays` run more of it: cut networks, restarted heads, other versions of Ray.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from ray_cluster import RayCluster, cluster_of, gcs_address, own_address
from relay import relay_to
from running_agent import RunningAgent, dashboard, ray_token, running_agent
from websockets.sync.client import connect

from synapse_agent.logs.sources import log_name
from synapse_agent.logs.state_file import StateFile
from synapse_agent.ray.client import RayClient
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.utils.network import StreamLimits

from .test_agent_logs import BOTH, Read, check, http, sse_events, websocket

pytestmark = pytest.mark.ray

COUNTS = "for i in range(200):\n    print(i, 'é' * (i % 7), flush=True)\n    time.sleep(0.05)"


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A cluster of two nodes, neither of which the agent started."""
    with cluster_of() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def front(cluster: RayCluster) -> Iterator[RunningAgent]:
    with running_agent("--ray", cluster.url, RAY_AUTH_TOKEN=cluster.token) as front:
        yield front


class Tailing:
    """A client's tail in a thread."""

    def __init__(self, agent: RunningAgent, job_id: str, protocol: Any) -> None:
        self.lines: list[str] = []
        self.error: ClientError | None = None
        self._arguments = agent.url, agent.token, job_id, protocol
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        url, token, job_id, protocol = self._arguments
        with AgentClient(url, token, stream_limits=StreamLimits.unlimited()) as client:
            try:
                with client.tail_job_logs(job_id, protocol=protocol) as stream:
                    self.lines.extend(stream)
            except ClientError as error:
                self.error = error

    def wait_for(self, lines: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.lines) < lines:
            assert self._thread.is_alive(), self.error
            assert time.monotonic() < deadline, f"{len(self.lines)} lines after 60 s"
            time.sleep(0.02)

    def end(self, timeout: float = 120) -> None:
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the tail does not end"


def lines_of(raw: bytes) -> list[str]:
    return raw.decode().removesuffix("\n").split("\n")


# -- the right file


@pytest.fixture(scope="module")
def joined() -> Iterator[tuple[RunningAgent, RayCluster]]:
    """An agent with a cluster of its own that another machine has joined."""
    with running_agent("--ray-bind", own_address()) as agent:
        cluster = RayCluster()
        cluster.token = ray_token(agent)
        cluster.http = httpx.Client(
            base_url=dashboard(agent), headers={"Authorization": f"Bearer {cluster.token}"}, timeout=30
        )
        try:
            cluster.start_worker(gcs=gcs_address(agent.pid))
            yield agent, cluster
        finally:
            cluster.close()


@BOTH
def test_a_job_on_a_worker_of_an_embedded_cluster(
    joined: tuple[RunningAgent, RayCluster], read: Read
) -> None:
    """The stub on the head is never the log; live, afterwards, and as one string."""
    agent, cluster = joined
    job_id = cluster.submit(COUNTS, worker=True)
    live = read(agent, job_id, 0)
    raw = cluster.raw_log(job_id)
    assert len(lines_of(raw)) == 201
    check(raw, live, 0)
    assert all("time" in event for event in live[-20:-1])
    check(raw, read(agent, job_id, 0), 0)
    assert agent.http.get(f"jobs/{job_id}/logs/").json() == raw.decode()


@BOTH
def test_a_job_on_a_worker_of_another_cluster(cluster: RayCluster, front: RunningAgent, read: Read) -> None:
    job_id = cluster.submit(COUNTS, worker=True)
    live = read(front, job_id, 0)
    raw = cluster.raw_log(job_id)
    assert len(lines_of(raw)) == 201
    check(raw, live, 0)
    check(raw, read(front, job_id, 0), 0)
    assert front.http.get(f"jobs/{job_id}/logs/").json() == raw.decode()
    assert front.stderr == ""


def test_a_job_that_never_got_a_driver_says_why(cluster: RayCluster, front: RunningAgent) -> None:
    """Its log is the head's, once it is known that there will be no other."""
    job_id = cluster.submit("pass", runtime_env={"working_dir": "gcs://_ray_pkg_none.zip"})
    events = websocket(front, job_id)
    assert events[-1] == {"type": "complete", "status": "FAILED"}
    assert "setting up" in events[1]["message"]


# -- windows


@pytest.fixture(scope="module")
def numbers(cluster: RayCluster, front: RunningAgent) -> str:
    """A finished job of 200 000 lines on the worker."""
    job_id = cluster.submit("for i in range(200_000): print(i, '🚀')", worker=True)
    assert cluster.wait(job_id)["status"] == "SUCCEEDED"
    return job_id


def test_windows_of_a_log_as_one_string(cluster: RayCluster, front: RunningAgent, numbers: str) -> None:
    raw = cluster.raw_log(numbers)
    ends = raw.rindex(b"199990 ")

    def get(**window: int) -> tuple[str, int, int]:
        response = front.http.get(f"jobs/{numbers}/logs/", params=window)
        assert response.status_code == 200, response.text
        start, end = (int(response.headers[f"Synapse-Log-{name}"]) for name in ("Offset", "Next"))
        assert response.json() == raw[start:end].decode("utf-8", "replace")
        return response.json(), start, end

    assert get() == (raw.decode(), 0, len(raw))
    assert get(tail=10) == (raw[ends:].decode(), ends, len(raw))
    assert get(tail=0) == ("", len(raw), len(raw))
    assert get(tail=10**17)[1:] == (0, len(raw))
    assert get(tail=10, offset=len(raw) - 3)[1:] == (len(raw) - 3, len(raw))
    assert get(tail=10, offset=5)[1] == ends
    assert get(offset=len(raw))[0] == ""
    # Each line ends with a rocket of four bytes and a newline: none of these cuts one in two.
    for limit in range(1, 9):
        text, start, end = get(tail=1, limit_bytes=limit)
        assert end == len(raw)
        assert limit - 3 <= len(text.encode()) == end - start <= limit
    position = 0
    while position < 600:  # on and on from where the last answer ended
        _, start, end = get(offset=position, limit_bytes=7)
        assert start == position < end <= position + 7
        position = end
    assert front.http.get(f"jobs/{numbers}/logs/", params={"offset": len(raw) + 1}).status_code == 416


@BOTH
def test_windows_of_a_stream(cluster: RayCluster, front: RunningAgent, numbers: str, read: Read) -> None:
    raw = cluster.raw_log(numbers)

    def stream(query: str) -> list[dict[str, Any]]:
        if read is http:
            with front.http.stream("GET", f"jobs/{numbers}/logs/stream/?{query}") as response:
                return list(sse_events(response))
        with connect(f"{front.ws_url}/jobs/{numbers}/logs/?{query}", additional_headers=front.headers) as ws:
            return [json.loads(message) for message in ws]

    for query, start in (
        ("tail=10", raw.rindex(b"199990 ")),
        ("tail=0", len(raw)),
        (f"tail=10&offset={len(raw) - 6}", len(raw) - 6),
        ("tail=10&limit_bytes=40", len(raw) - 40),
        (f"offset={len(raw) - 100}&limit_bytes=5", len(raw) - 100),
    ):
        check(raw[: len(raw)], stream(query), stream(query)[0]["offset"])
        assert start <= stream(query)[0]["offset"] <= start + 3


@pytest.mark.parametrize("name", ["tail", "offset", "limit_bytes"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", "9" * 30, "\u0661"])
def test_windows_that_are_refused(front: RunningAgent, numbers: str, name: str, value: str) -> None:
    for path in (f"jobs/{numbers}/logs/", f"jobs/{numbers}/logs/stream/"):
        response = front.http.get(path, params={name: value})
        assert (response.status_code, list(response.json())) == (400, ["detail"])


# -- what the cluster pays


def test_tails_that_are_left_take_nothing_from_the_cluster(cluster: RayCluster, front: RunningAgent) -> None:
    """More of them than Ray allows requests at a time, of a job that is quiet and of one that is over."""
    over = cluster.submit("print('over')", worker=True)
    quiet = cluster.submit("print('quiet', flush=True); time.sleep(600)", worker=True)
    cluster.wait(over)
    cluster.wait(quiet, "RUNNING")
    for _ in range(15):
        with front.http.stream("GET", f"jobs/{quiet}/logs/stream/") as response:
            next(response.iter_raw())
        for job_id in (quiet, over, quiet, quiet, over, quiet, over):
            with connect(f"{front.ws_url}/jobs/{job_id}/logs/", additional_headers=front.headers) as ws:
                ws.recv()
    assert len(front.http.get("nodes/").raise_for_status().json()) == 2
    assert cluster.http.get("api/v0/nodes").status_code == 200
    cluster.http.post(f"api/jobs/{quiet}/stop").raise_for_status()


def test_through_the_state_api_alone(cluster: RayCluster, numbers: str) -> None:
    """Where the nodes can't be reached, each look at a log is one request that ends by itself."""
    raw = cluster.raw_log(numbers)
    live = cluster.submit("for i in range(30):\n    print(i, flush=True)\n    time.sleep(0.2)", worker=True)

    async def read() -> None:
        ray = RayClient(cluster.url, cluster.token)
        slots = asyncio.Semaphore(1)
        node = cluster.job(numbers)["driver_node_id"]
        try:
            file = StateFile(ray, slots, node, log_name(numbers))
            assert await file.size() == len(raw)
            assert await file.read(1_000, 500_000) == raw[1_000:501_000]
            growing = StateFile(ray, slots, cluster.wait(live, "RUNNING")["driver_node_id"], log_name(live))
            got = b""
            while len(got.split()) < 30 + len(lines_of(raw)[0].split()):
                got += await growing.read(len(got), 1 << 20)
            cluster.wait(live)
            assert await growing.read(len(got), 1 << 20) == b""
            assert got == cluster.raw_log(live)
        finally:
            await ray.close()

    asyncio.run(read())


@BOTH
def test_a_cluster_behind_tls(cluster: RayCluster, numbers: str, tmp_path: Path, read: Read) -> None:
    """The nodes get no token where the dashboard is spoken to over TLS, so that they refuse to answer.

    Ray's state API has the logs then: their last lines at the cost of these, and all else by a copy.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    trust = {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "RAY_AUTH_TOKEN": cluster.token}
    with (
        relay_to(cluster.dashboard_port, tls=tls) as relay,
        running_agent("--ray", f"https://127.0.0.1:{relay.port}", **trust) as front,
        AgentClient(front.url, front.token) as client,
    ):
        raw = cluster.raw_log(numbers)
        before = relay.received
        last = front.http.get(f"jobs/{numbers}/logs/", params={"tail": 10})
        assert last.json() == raw[raw.rindex(b"199990 ") :].decode() == client.get_job_logs(numbers, tail=10)
        assert "Synapse-Log-Offset" not in last.headers
        window = {"tail": 1, "limit_bytes": 6}
        assert front.http.get(f"jobs/{numbers}/logs/", params=window).json() == " 🚀\n"
        assert relay.received - before < 16 << 10
        live = cluster.submit(COUNTS, worker=True)
        events = read(front, live, 0)
        check(cluster.raw_log(live), events, 0)
        for offset in (0, len(raw) - 100):
            check(raw, read(front, numbers, offset), offset)
        assert front.http.get(f"jobs/{numbers}/logs/").json() == raw.decode()
        assert front.stderr == ""


# -- what breaks


LOSES = "print('x' * 1000, flush=True); time.sleep(600)"


@BOTH
@pytest.mark.parametrize("loss", ["shrinks", "vanishes"])
@pytest.mark.parametrize("where", ["remote", "embedded"])
def test_a_log_that_is_lost_is_an_error(where: str, loss: str, read: Read, request: Any) -> None:
    """The tail ends with an error although the job is over."""
    protocol = "http" if read is http else "websocket"
    if where == "remote":
        cluster: RayCluster = request.getfixturevalue("cluster")
        agent: RunningAgent = request.getfixturevalue("front")
        job_id = cluster.submit(LOSES, worker=True)
    else:
        agent = request.getfixturevalue("agent")
        job_id = agent.submit(LOSES)
    agent.wait(job_id, "RUNNING")
    tail = Tailing(agent, job_id, protocol)
    tail.wait_for(2)
    path = cluster.log_path(job_id) if where == "remote" else agent.log_path(job_id)
    if loss == "shrinks":
        os.truncate(path, 100)
    else:
        path.unlink()
    agent.http.post(f"jobs/{job_id}/stop/").raise_for_status()
    tail.end()
    status, words = (500, "shrank to ") if loss == "shrinks" else (503, "the log was read up to byte ")
    assert tail.error is not None
    assert tail.error.status_code == status
    assert words in str(tail.error)


@contextmanager
def tails_of(agent: RunningAgent, job_id: str, lines: int) -> Iterator[list[Tailing]]:
    tails = [Tailing(agent, job_id, protocol) for protocol in ("websocket", "http")]
    try:
        for tail in tails:
            tail.wait_for(lines)
        yield tails
    finally:
        for tail in tails:
            tail.end()


def test_a_dashboard_that_freezes(cluster: RayCluster, front: RunningAgent, tmp_path: Path) -> None:
    """Heartbeats go on, and so do the lines; the end comes once Ray answers again."""
    more = tmp_path / "more"
    job_id = cluster.submit(
        f"""
        print("one", flush=True)
        while not os.path.exists({str(more)!r}):
            time.sleep(0.05)
        print("two", flush=True)
        """.replace("\n        ", "\n"),
        worker=True,
    )
    cluster.wait(job_id, "RUNNING")
    with front.http.stream("GET", f"jobs/{job_id}/logs/stream/", timeout=60) as response:
        events = sse_events(response)
        while next(events).get("message") != "one":
            pass
        with cluster.frozen_dashboard():
            assert [next(events)["type"] for _ in range(2)] == ["heartbeat"] * 2
            more.touch()
            while next(events).get("message") != "two":
                pass
        assert [event for event in events if event["type"] != "heartbeat"] == [
            {"type": "complete", "status": "SUCCEEDED"}
        ]


def test_a_dashboard_that_is_killed_and_comes_back(cluster: RayCluster, front: RunningAgent) -> None:
    """The last test of this cluster, which has no dashboard any more after it."""
    job_id = cluster.submit(COUNTS, worker=True)
    cluster.wait(job_id, "RUNNING")
    with tails_of(front, job_id, 20) as tails:
        killed = cluster.kill_dashboard()
        for tail in tails:
            tail.wait_for(len(tail.lines) + 40)  # nobody needs the dashboard to read
        with cluster.restarted_dashboard(killed):
            for tail in tails:
                tail.end()
            raw = cluster.raw_log(job_id)
            for tail in tails:
                assert tail.error is None
                assert tail.lines == lines_of(raw)
                assert len(tail.lines) == 201
