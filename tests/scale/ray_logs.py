"""`make scale RAY=1`: what tails of real jobs cost the agent and its cluster, a head and a worker here."""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import aiohttp
from ray_cluster import RayCluster, cluster_of
from running_agent import RunningAgent, running_agent

from scale.log_command import measure_command

_LEFT = 1_000
_WATCHERS = 200
_JOBS = 50
_SECONDS = 20
_RATE = 20
_BYTES = 2_000_000_000

_LIVE = f"""
import time
for i in range({_SECONDS * _RATE}):
    print("at", time.time(), i, flush=True)
    time.sleep(1 / {_RATE})
"""
_LARGE = """
line = "x" * 99 + "\\n"
for i in range({0} // 100_000): sys.stdout.write(line * 1_000)
"""


def main() -> int:
    with cluster_of() as cluster, running_agent("--ray", cluster.url, RAY_AUTH_TOKEN=cluster.token) as agent:
        left(cluster, agent)
        watched(cluster, agent, _WATCHERS, 1)
        watched(cluster, agent, _JOBS, _JOBS)
        large(cluster, agent)
    embedded()
    return 0


def left(cluster: RayCluster, agent: RunningAgent) -> None:
    quiet = cluster.submit("print('quiet', flush=True); time.sleep(3600)", worker=True)
    over = cluster.submit("print('over')", worker=True)
    cluster.wait(quiet, "RUNNING")
    cluster.wait(over)
    before = seconds_of_list_nodes(agent)

    async def open_and_leave() -> None:
        slots = asyncio.Semaphore(20)

        async def one(session: aiohttp.ClientSession, number: int) -> None:
            job_id = (quiet, over)[number % 2]
            async with slots:
                if number % 4 < 2:
                    async with session.ws_connect(f"{agent.ws_url}/jobs/{job_id}/logs/") as ws:
                        await ws.receive()
                else:
                    async with session.get(f"{agent.url}/jobs/{job_id}/logs/stream/") as response:
                        await response.content.readany()

        async with aiohttp.ClientSession(headers=agent.headers) as session:
            await asyncio.gather(*(one(session, number) for number in range(_LEFT)))

    asyncio.run(open_and_leave())
    say(
        f"{_LEFT:,} tails opened and left: list_nodes {before * 1e3:.0f} ms before, "
        f"{seconds_of_list_nodes(agent) * 1e3:.0f} ms after, Ray's own answers "
        f"{cluster.http.get('api/v0/nodes').status_code}"
    )
    cluster.http.post(f"api/jobs/{quiet}/stop").raise_for_status()


def seconds_of_list_nodes(agent: RunningAgent) -> float:
    taken: list[float] = []
    for _ in range(10):
        started = time.monotonic()
        assert len(agent.http.get("nodes/").raise_for_status().json()) == 2
        taken.append(time.monotonic() - started)
    return statistics.median(taken)


def watched(cluster: RayCluster, agent: RunningAgent, tails: int, jobs: int) -> None:
    # Together they are to be running, so that starting them must not take the processor.
    entry = {"entrypoint_num_cpus": 0}
    ids = [cluster.submit(_LIVE, worker=True, **entry) for _ in range(jobs)]
    # Idle connections of what was measured before are closed after some seconds.
    while connections_to_ray(agent, cluster)["nodes"]:
        time.sleep(0.5)
    late: list[float] = []
    most: Counter[str] = Counter()
    whole = 0
    started = time.monotonic()

    async def one(session: aiohttp.ClientSession, job_id: str) -> list[int]:
        numbers: list[int] = []
        async with session.ws_connect(f"{agent.ws_url}/jobs/{job_id}/logs/") as ws:
            async for message in ws:
                event = json.loads(message.data)
                words = str(event.get("message", "")).split(" ")
                if words[0] == "at":
                    numbers.append(int(words[2]))
                    if "time" in event:
                        late.append(time.time() - float(words[1]))
                elif event["type"] == "complete":
                    return numbers
        return []

    async def watch() -> list[list[int]]:
        async def count() -> None:
            while True:
                for name, number in connections_to_ray(agent, cluster).items():
                    most[name] = max(most[name], number)
                await asyncio.sleep(0.2)

        counting = asyncio.ensure_future(count())
        async with aiohttp.ClientSession(
            headers=agent.headers, connector=aiohttp.TCPConnector(limit=0)
        ) as session:
            found = await asyncio.gather(*(one(session, ids[number % jobs]) for number in range(tails)))
        counting.cancel()
        return found

    found = asyncio.run(watch())
    whole = sum(numbers == list(range(_SECONDS * _RATE)) for numbers in found)
    lines = sum(map(len, found))
    late.sort()
    took = time.monotonic() - started
    say(
        f"{tails} tails of {jobs} live job{'s' * (jobs > 1)}: {whole} whole, {lines / took:,.0f} lines/s, "
        f"p50 {late[len(late) // 2] * 1e3:.0f} ms, p99 {late[len(late) * 99 // 100] * 1e3:.0f} ms, "
        f"at most {most['nodes']} connections to the nodes for logs, {most['dashboard']} to the dashboard"
    )


def connections_to_ray(agent: RunningAgent, cluster: RayCluster) -> Counter[str]:
    """Count the connections that the agent has to the dashboard and to the nodes' own agents."""
    inodes: set[str] = set()
    for entry in Path(f"/proc/{agent.pid}/fd").iterdir():
        try:
            found = re.match(r"socket:\[(\d+)\]", str(entry.readlink()))
        except OSError:
            continue
        if found:
            inodes.add(found[1])
    own = int(agent.url.rpartition(":")[2])
    count: Counter[str] = Counter()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        local, remote = (int(word.rpartition(":")[2], 16) for word in words[1:3])
        if words[3] == "01" and words[9] in inodes and local != own:
            count["dashboard" if remote == cluster.dashboard_port else "nodes"] += 1
    return count


def large(cluster: RayCluster, agent: RunningAgent) -> None:
    job_id = cluster.submit(_LARGE.format(_BYTES), worker=True)
    cluster.wait(job_id, timeout=600)
    raw = cluster.log_path(job_id)
    size = raw.stat().st_size
    for protocol in ("websocket", "http"):
        peak = [memory(agent.pid)]

        async def read(protocol: str = protocol, peak: list[int] = peak) -> int:
            end = 0
            async with aiohttp.ClientSession(
                headers=agent.headers, timeout=aiohttp.ClientTimeout(total=None), read_bufsize=1 << 20
            ) as session:
                if protocol == "websocket":
                    async with session.ws_connect(
                        f"{agent.ws_url}/jobs/{job_id}/logs/", max_msg_size=1 << 20
                    ) as ws:
                        count = 0
                        async for message in ws:
                            count += 1
                            if count % 100_000 == 0:
                                peak.append(memory(agent.pid))
                            last = message.data
                            if '"complete"' in last:
                                break
                            end = int(last.rpartition(":")[2].rstrip("}")) if '"offset":' in last else end
                    return end
                async with session.get(f"{agent.url}/jobs/{job_id}/logs/stream/") as response:
                    rest = b""
                    async for data in response.content.iter_chunked(1 << 20):
                        rest = (rest + data)[-400:]
                        peak.append(memory(agent.pid))
                    assert b'"complete"' in rest
                    return int(re.findall(rb'"offset":(\d+)', rest)[-1])

        started = time.monotonic()
        end = asyncio.run(read())
        took = time.monotonic() - started
        say(
            f"{size / 1e9:.1f} GB over {protocol}: {'whole' if end == size else f'{end} of {size}'} in "
            f"{took:.0f} s, {size / 100 / took:,.0f} lines/s, agent's memory at most {max(peak) >> 20} MiB"
        )
    started = time.monotonic()
    response = agent.http.get(f"jobs/{job_id}/logs/", params={"tail": 10}).raise_for_status()
    assert response.json().count("\n") == 10
    say(f"its last 10 lines: {(time.monotonic() - started) * 1e3:.0f} ms, {len(response.content)} bytes")
    for text in measure_command("remote", agent, job_id, raw):
        say(text)


def embedded() -> None:
    with running_agent() as agent:
        job_id = agent.submit(_LARGE.format(_BYTES))
        agent.wait(job_id, timeout=600)
        for text in measure_command("embedded", agent, job_id, agent.log_path(job_id)):
            say(text)


def memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
