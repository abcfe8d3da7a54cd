"""Without extras: import, typed calls and tails, sync and async, against the fake agent."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from commands import expect

import synapse_sdk
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.agent.models import Job
from synapse_sdk.clients.exceptions import NotFoundError
from synapse_sdk.testing import FakeAgent

LINES = ["epoch 1", "epoch 2", "done"]


def sync_client(url: str, token: str) -> None:
    with AgentClient(url, token) as client:
        job = client.get_job("train")
        expect(isinstance(job, Job) and job.status == "SUCCEEDED", "get_job", job)
        for protocol in ("websocket", "http"):
            lines = list(client.tail_job_logs("train", protocol=protocol))
            expect(lines == LINES, f"tail_job_logs over {protocol}", lines)
        try:
            client.get_job("missing")
        except NotFoundError:
            return
        raise SystemExit("get_job: no NotFoundError")


async def async_client(url: str, token: str) -> None:
    async with AsyncAgentClient(url, token) as client:
        job = await client.get_job("train")
        expect(job.status == "SUCCEEDED", "await get_job", job)
        lines = [line async for line in client.tail_job_logs("train")]
        expect(lines == LINES, "tail_job_logs, async", lines)


expect("site-packages" in str(synapse_sdk.__file__), "import synapse_sdk", synapse_sdk.__file__)
for absent in ("aiohttp", "click", "ray", "redis", "rich", "pytest"):
    expect(find_spec(absent) is None, "pip install", f"brings {absent}")
with FakeAgent(listen=True) as agent:
    agent.add_job("train", status="SUCCEEDED", logs=LINES)
    sync_client(agent.url, agent.token)
    asyncio.run(async_client(agent.url, agent.token))
