"""The state that all handlers share: the cluster, the database and the agent's settings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from .database import Database
from .ray.client import JsonObject, RayClient

__all__ = ["AGENT_CONTEXT", "INTERNAL", "AgentContext", "context_of"]

# Marks jobs that the agent submits for its own purposes; lists and counts leave them out.
INTERNAL = "synapse_agent_internal"


@dataclass(slots=True)
class AgentContext:
    """One agent. What only one subject needs is in an app key of that subject's package."""

    ray: RayClient
    token: str
    # What the agent keeps across restarts; the files that belong to it are in the same directory.
    database: Database
    # Where job logs are files, if the cluster is embedded.
    log_dir: Path | None = None
    # The URL by which jobs reach this agent; known once it listens.
    url: str = ""
    # The directory that plugin releases are created from; None: releases can't be created.
    plugins: Path | None = None
    # The directories that `plugin_path` of a debug run may be below, resolved.
    plugin_paths: tuple[Path, ...] = ()
    # Seconds of silence after which a stream sends a heartbeat.
    heartbeat: float = 5.0
    # Whether the agent is about to stop, so that probes send new requests elsewhere.
    draining: bool = False
    # Set when the agent stops, so that streams end.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # Releases are read one at a time, since each may take hundreds of MB meanwhile.
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def jobs(self) -> list[JsonObject]:
        """Return all jobs of the cluster but the agent's own."""
        return [job for job in await self.ray.jobs() if not _hidden(job)]


def _hidden(job: JsonObject) -> bool:
    # A job that is deleted right after its end leaves an entry without times.
    ghost = job.get("type") == "SUBMISSION" and job.get("start_time") is None
    return ghost or INTERNAL in (job.get("metadata") or {})


AGENT_CONTEXT: web.AppKey[AgentContext] = web.AppKey("context", AgentContext)


def context_of(request: web.Request) -> AgentContext:
    """Return the context of the agent that serves a request."""
    return request.app[AGENT_CONTEXT]
