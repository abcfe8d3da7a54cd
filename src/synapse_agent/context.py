"""What the handlers share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from .containers.manager import Containers
from .database import Database
from .logs.registry import Logs
from .ray.client import JsonObject, RayClient
from .runs.job_lists import RecentJobs
from .runs.policy import Policy

__all__ = ["AGENT_CONTEXT", "INTERNAL", "AgentContext", "context_of"]

# Marks the jobs that the agent submits for itself; they are in no list and no count.
INTERNAL = "synapse_agent_internal"


@dataclass(slots=True)
class AgentContext:
    """One agent: its cluster, its settings and what it remembers."""

    ray: RayClient
    token: str
    # What it remembers across restarts; beside it lie the files that go with that.
    database: Database
    logs: Logs
    # Where there is an engine to run them.
    containers: Containers | None = None
    # Where job logs lie as files, if the cluster is on this machine and ours.
    log_dir: Path | None = None
    # Where jobs reach this agent; known once it listens.
    url: str = ""
    # Where plugin releases come from; None: nowhere.
    plugins: Path | None = None
    # Seconds of silence after which a stream shows that it lives.
    heartbeat: float = 5.0
    policy: Policy = field(default_factory=Policy)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # So that a client that pages through the jobs has Ray list them once in a while, not for each page.
    recent_jobs: RecentJobs = field(default_factory=RecentJobs)
    # Held from counting the jobs to having submitted one, or two requests could take the last place.
    admission: asyncio.Lock = field(default_factory=asyncio.Lock)
    # One at a time, since each may take hundreds of MB while it is read.
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def jobs(self) -> list[JsonObject]:
        return [job for job in await self.ray.jobs() if not _hidden(job)]


def _hidden(job: JsonObject) -> bool:
    # A job that is deleted right after its end leaves an entry without times.
    ghost = job.get("type") == "SUBMISSION" and job.get("start_time") is None
    return ghost or INTERNAL in (job.get("metadata") or {})


AGENT_CONTEXT: web.AppKey[AgentContext] = web.AppKey("context", AgentContext)


def context_of(request: web.Request) -> AgentContext:
    return request.app[AGENT_CONTEXT]
