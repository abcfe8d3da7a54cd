"""What tails of a job cost its cluster, counted where the agent's requests arrive."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
from running_agent import RunningAgent, running_agent

from .fake_dashboard import Dashboard, add_job, dashboard_at

TAILS = 60
LOG = "/logs/job-driver-live.log"
# More than the agent reads at a time.
FIRST = b"".join(b"%07d %s\n" % (number, b"x" * 91) for number in range(15_000))
SECOND = b"and more\n"


async def log_of(events: Any, began: asyncio.Event) -> bytes:
    """Take a stream to its end."""
    parts: list[str] = []
    async for event in events:
        if event["type"] == "complete":
            return "".join(parts).encode()
        if event["type"] == "log":
            parts.append(event["message"] + "\n")
            began.set()
    raise AssertionError(f"the stream ended after {len(parts)} lines")


async def websocket_events(session: aiohttp.ClientSession, agent: RunningAgent) -> Any:
    async with session.ws_connect(f"{agent.ws_url}/jobs/live/logs/") as ws:
        async for message in ws:
            yield json.loads(message.data)


async def http_events(session: aiohttp.ClientSession, agent: RunningAgent) -> Any:
    async with session.get(f"{agent.url}/jobs/live/logs/stream/") as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


async def watch(agent: RunningAgent, dashboard: Dashboard) -> list[bytes]:
    async with aiohttp.ClientSession(
        headers=agent.headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        ways = websocket_events, http_events
        began = [asyncio.Event() for _ in range(TAILS)]
        tails = [
            asyncio.ensure_future(log_of(ways[number % 2](session, agent), event))
            for number, event in enumerate(began)
        ]
        for event in began:
            await event.wait()
        dashboard.logs["job-driver-live.log"] += SECOND
        dashboard.jobs["live"]["status"] = "SUCCEEDED"
        return await asyncio.gather(*tails)


def test_tails_of_a_job_are_one_reader_of_its_cluster() -> None:
    with (
        dashboard_at("") as dashboard,
        running_agent("--ray", dashboard.url, RAY_AUTH_TOKEN="ray-token") as agent,
    ):
        node = {"driver_node_id": "node", "driver_agent_http_address": dashboard.url}
        add_job(dashboard, "live", 1, status="RUNNING", **node)
        dashboard.logs["job-driver-live.log"] = FIRST
        dashboard.seconds = 0.02
        started = time.monotonic()
        assert asyncio.run(watch(agent, dashboard)) == [FIRST + SECOND] * TAILS
        took = time.monotonic() - started
    paths = dashboard.paths()
    assert dashboard.most_at_once["/api/jobs/live"] == 1
    # The follower looks for the end while the first reader of a block fetches it.
    assert dashboard.most_at_once[LOG] <= 2
    # One question each tenth of a second at most, however many tails there are.
    assert paths.count("/api/jobs/live") <= 2 + took / 0.1
    # Each byte once, and one for each look at the size.
    assert dashboard.log_bytes <= len(FIRST + SECOND) + paths.count(LOG)
