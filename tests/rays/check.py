"""The logs of one version's cluster through this checkout's agent; prints what was found as JSON."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from ray_cluster import RayCluster, cluster_of
from running_agent import RunningAgent, running_agent
from websockets.sync.client import connect

from synapse_agent.logs.sources import log_name
from synapse_agent.logs.state_file import StateFile
from synapse_agent.ray.client import RayClient
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.utils.network import StreamLimits

_LIVE = "for i in range(100):\n    print(i, '🚀' * (i % 3), flush=True)\n    time.sleep(0.05)"
_LARGE = "for i in range(200_000): print(i, 'x' * (i % 90))"


def main() -> None:
    python = sys.argv[1]
    told = subprocess.run(
        [python, "-c", "import ray; print(ray.__version__)"], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = {"ray": told.stdout.split()[-1]}
    limits = StreamLimits.unlimited()
    with (
        cluster_of(python=python) as cluster,
        running_agent("--ray", cluster.url, RAY_AUTH_TOKEN=cluster.token) as agent,
        AgentClient(agent.url, agent.token, stream_limits=limits, timeout={"read": 60}) as client,
    ):
        check_logs(cluster, agent, client, found)
    print(json.dumps(found))


def check_logs(cluster: RayCluster, agent: RunningAgent, client: AgentClient, found: dict[str, Any]) -> None:
    for protocol in ("websocket", "http"):
        live = cluster.submit(_LIVE, worker=True)
        with client.tail_job_logs(live, protocol=protocol) as stream:
            lines = list(stream)
        raw = cluster.raw_log(live)
        assert lines == raw.decode().removesuffix("\n").split("\n"), protocol
        assert stream.reconnects == 0
        assert stream.job_status == "SUCCEEDED"
    found["live tails"] = "whole"
    large = cluster.submit(_LARGE, worker=True)
    cluster.wait(large)
    raw = cluster.raw_log(large)
    lines = raw.decode().removesuffix("\n").split("\n")
    for protocol in ("websocket", "http"):
        started = time.monotonic()
        with client.tail_job_logs(large, protocol=protocol) as stream:
            assert list(stream) == lines, protocol
        found[f"finished, {protocol}"] = f"{len(lines) / (time.monotonic() - started):,.0f} lines/s"
    assert client.get_job_logs(large) == raw.decode()
    response = agent.http.get(f"jobs/{large}/logs/", params={"tail": 10}).raise_for_status()
    assert response.json().removesuffix("\n").split("\n") == lines[-10:]
    assert int(response.headers["Synapse-Log-Next"]) == len(raw)
    found["windows"] = "right"
    quiet = cluster.submit("print('quiet', flush=True); time.sleep(600)", worker=True)
    cluster.wait(quiet, "RUNNING")
    for job_id in (quiet, large) * 60:
        with connect(
            f"{agent.ws_url}/jobs/{job_id}/logs/", additional_headers=agent.headers, close_timeout=0.1
        ) as ws:
            ws.recv()
    assert len(agent.http.get("nodes/").raise_for_status().json()) == 2
    cluster.http.post(f"api/jobs/{quiet}/stop").raise_for_status()
    found["120 tails left"] = "list_nodes answers"
    asyncio.run(check_state_api(cluster, large, raw))
    found["state API alone"] = "whole"


async def check_state_api(cluster: RayCluster, job_id: str, raw: bytes) -> None:
    ray = RayClient(cluster.url, cluster.token)
    try:
        node = cluster.job(job_id)["driver_node_id"]
        file = StateFile(ray, asyncio.Semaphore(1), node, log_name(job_id))
        assert await file.size() == len(raw)
        assert await file.read(0, len(raw)) == raw
    finally:
        await ray.close()


main()
