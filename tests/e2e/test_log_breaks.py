"""What breaks between the agent and Ray, and what becomes of the tails: a row of the docs' table each.

Machines are network namespaces, so that these need root, `ip`, `tc` and `redis-server`, and each test starts
a cluster of its own to break it: `make soak RAY=1` runs them, `make test` does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from ray_cluster import Network, RayCluster, cluster_of, redis_server
from running_agent import RunningAgent, running_agent

from .test_agent_logs import check, http, websocket
from .test_log_nodes import COUNTS, Tailing, lines_of, tails_of

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif("SYNAPSE_TEST_BREAKS" not in os.environ, reason="make soak RAY=1 runs these"),
]

FOR_EVER = "i = 0\nwhile True:\n    print(i, flush=True)\n    i += 1\n    time.sleep(0.05)"


@contextmanager
def networked(*, redis: bool = False) -> Iterator[tuple[Network, RayCluster]]:
    """A head and a worker, each on a machine of its own; Redis is on a third, this one."""
    with ExitStack() as stack:
        network = Network()
        stack.callback(network.close)
        address = stack.enter_context(redis_server(network.gateway)) if redis else None
        head, worker = network.addresses
        cluster = RayCluster(redis=address, host=head, prefix=network.prefix(0))
        stack.callback(cluster.close)
        cluster.start_head()
        cluster.start_worker(host=worker, prefix=network.prefix(1))
        yield network, cluster


@contextmanager
def front_of(cluster: RayCluster) -> Iterator[RunningAgent]:
    with running_agent("--ray", cluster.url, RAY_AUTH_TOKEN=cluster.token) as front:
        yield front


def assert_whole(tails: list[Tailing], raw: bytes) -> None:
    for tail in tails:
        assert tail.error is None
        assert tail.lines == lines_of(raw)
        assert len(tail.lines) == 201


def assert_lost(tails: list[Tailing], node: str, *words: str) -> None:
    """Each line so far came once, and the error says what is missing, and why."""
    for tail in tails:
        numbers = [int(line) for line in tail.lines if line.isdecimal()]
        assert numbers == list(range(len(numbers)))
        assert tail.error is not None
        assert tail.error.status_code == 503
        assert node[:8] in str(tail.error)
        for word in words:
            assert word in str(tail.error)


def test_a_worker_that_loses_power() -> None:
    with cluster_of() as cluster, front_of(cluster) as front:
        job_id = cluster.submit(FOR_EVER, worker=True)
        node = cluster.wait(job_id, "RUNNING")["driver_node_id"]
        with tails_of(front, job_id, 20) as tails:
            cluster.nodes[1].kill()
            for tail in tails:
                tail.end()
        assert_lost(tails, node, "is dead", "FAILED")


def test_a_worker_whose_raylet_is_killed() -> None:
    with cluster_of() as cluster, front_of(cluster) as front:
        job_id = cluster.submit(FOR_EVER, worker=True)
        node = cluster.wait(job_id, "RUNNING")["driver_node_id"]
        with tails_of(front, job_id, 20) as tails:
            (raylet,) = cluster.nodes[1].processes("raylet/raylet ")[:1]
            os.kill(raylet, 9)
            for tail in tails:
                tail.end()
        raw = cluster.raw_log(job_id)
        for tail in tails:
            # The node's agent may live long enough to send the rest.
            if tail.error is not None:
                assert_lost([tail], node, "FAILED")
            else:
                assert tail.lines == lines_of(raw)


def test_a_dashboard_that_stays_away() -> None:
    """The log is read to its end all the same; that it is the end, nobody can say."""
    with cluster_of() as cluster, front_of(cluster) as front:
        job_id = cluster.submit(COUNTS, worker=True)
        node = cluster.wait(job_id, "RUNNING")["driver_node_id"]
        with tails_of(front, job_id, 20) as tails:
            cluster.kill_dashboard()
            for tail in tails:
                tail.end()
        for tail in tails:
            assert tail.lines == lines_of(cluster.raw_log(job_id))
            assert tail.error is not None
            assert tail.error.status_code == 503
            assert node[:8] in str(tail.error)


def test_a_head_that_is_killed_and_started_again() -> None:
    """With a GCS that keeps what it knows in Redis, jobs go on without their head."""
    with networked(redis=True) as (_, cluster), front_of(cluster) as front:
        job_id = cluster.submit(COUNTS.replace("0.05", "0.2"), worker=True)
        cluster.wait(job_id, "RUNNING")
        with tails_of(front, job_id, 20) as tails:
            cluster.nodes[0].kill()
            cluster.start_head()
            for tail in tails:
                tail.end()
        assert_whole(tails, cluster.raw_log(job_id))


def test_a_worker_that_is_cut_off_for_a_moment() -> None:
    with networked() as (network, cluster), front_of(cluster) as front:
        job_id = cluster.submit(COUNTS, worker=True)
        cluster.wait(job_id, "RUNNING")
        with tails_of(front, job_id, 20) as tails:
            network.unplug(1)
            time.sleep(4)  # less than what Ray takes to give the node up
            network.plug(1)
            for tail in tails:
                tail.end()
        assert_whole(tails, cluster.raw_log(job_id))


def test_a_worker_that_is_cut_off_for_good() -> None:
    with networked() as (network, cluster), front_of(cluster) as front:
        job_id = cluster.submit(FOR_EVER, worker=True)
        node = cluster.wait(job_id, "RUNNING")["driver_node_id"]
        with tails_of(front, job_id, 20) as tails:
            network.unplug(1)
            for tail in tails:
                tail.end()
        assert_lost(tails, node, "FAILED")


def test_a_head_that_is_cut_off_for_a_moment() -> None:
    with networked() as (network, cluster), front_of(cluster) as front:
        job_id = cluster.submit(COUNTS, worker=True)
        cluster.wait(job_id, "RUNNING")
        with tails_of(front, job_id, 20) as tails:
            network.unplug(0)
            time.sleep(4)
            network.plug(0)
            for tail in tails:
                tail.end()
        assert_whole(tails, cluster.raw_log(job_id))


def test_a_worker_that_only_the_head_reaches() -> None:
    """The log goes on through Ray's state API, on a line so slow that it takes longer than Ray's 30 s."""
    with networked() as (network, cluster), front_of(cluster) as front:
        live = cluster.submit(COUNTS, worker=True)
        cluster.wait(live, "RUNNING")
        with tails_of(front, live, 20) as tails:
            network.hide(1)
            for tail in tails:
                tail.end()
        assert_whole(tails, cluster.raw_log(live))
        large = cluster.submit("for i in range(400_000): print(i, 'x' * 93)", worker=True)
        cluster.wait(large)
        network.slow_down(0, "8mbit")
        started = time.monotonic()
        text = front.http.get(f"jobs/{large}/logs/", timeout=300).raise_for_status().json()
        assert time.monotonic() - started > 31
        assert text == cluster.raw_log(large).decode()


def test_a_log_that_was_kept_outlives_its_cluster(tmp_path: Path) -> None:
    arguments = "--keep-logs", "1M", "--data", str(tmp_path)
    with cluster_of() as cluster:
        ray = "--ray", cluster.url
        with running_agent(*ray, *arguments, RAY_AUTH_TOKEN=cluster.token) as front:
            job_id = cluster.submit(COUNTS.replace("0.05", "0.01"), worker=True)
            whole = websocket(front, job_id)
            unread = cluster.submit("pass", worker=True)
            cluster.wait(unread)
            raw = cluster.raw_log(job_id)
            check(raw, whole, 0)
            for node in cluster.nodes:
                node.kill()
            check(raw, websocket(front, job_id), 0)
        with running_agent(*ray, *arguments) as later:
            check(raw, http(later, job_id), 0)
            assert later.http.get(f"jobs/{job_id}/logs/?tail=1").json() == lines_of(raw)[-1] + "\n"
            assert later.http.get(f"jobs/{unread}/logs/").status_code == 503
