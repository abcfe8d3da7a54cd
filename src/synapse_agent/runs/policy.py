"""The policy: limits by which workloads are admitted, one for all agents that share a database."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from aiohttp import web

from ..context import context_of
from ..database import Database
from ..http.validation import Fields, read_object

__all__ = ["Policy", "get_runtime_policy", "read_policy", "update_runtime_policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits, with their defaults."""

    max_concurrent_jobs: int = 3  # 0: no limit
    max_concurrent_serve_replicas: int = 16
    gatekeeping_enabled: bool = True
    cpu_max_utilization_percent: float = 90.0
    memory_max_utilization_percent: float = 90.0
    gpu_max_utilization_percent: float = 90.0
    gpu_max_memory_percent: float = 90.0
    max_concurrent_ray_jobs: int = 0  # 0: no limit
    resource_cache_ttl_seconds: float = 5.0


_NAMES = frozenset(field.name for field in fields(Policy))


async def read_policy(database: Database) -> Policy:
    """Return the policy as it is now."""
    # An agent that has nothing to keep needs no directory to keep it in.
    if not await asyncio.to_thread(database.path.exists):
        return Policy()
    return await database.run(_read)


def _read(connection: sqlite3.Connection) -> Policy:
    row = connection.execute("SELECT limits FROM policy").fetchone()
    stored: dict[str, Any] = {} if row is None else json.loads(row["limits"])
    # A newer agent may have stored more of them.
    return Policy(**{name: value for name, value in stored.items() if name in _NAMES})


async def get_runtime_policy(request: web.Request) -> web.Response:
    """Return the policy."""
    return web.json_response(asdict(await read_policy(context_of(request).database)))


async def update_runtime_policy(request: web.Request) -> web.Response:
    """Change the given limits: all of them, or none if one is invalid."""
    body = await read_object(request)
    # Null could mean the default as well as no change.
    given = Fields(body, nulls=False)
    checked = {
        "max_concurrent_jobs": given.integer("max_concurrent_jobs", 0),
        "max_concurrent_serve_replicas": given.integer("max_concurrent_serve_replicas", 0),
        "gatekeeping_enabled": given.boolean("gatekeeping_enabled", False),
        "max_concurrent_ray_jobs": given.integer("max_concurrent_ray_jobs", 0),
        "resource_cache_ttl_seconds": given.number("resource_cache_ttl_seconds", 0, most=86_400),
        "cpu_max_utilization_percent": given.number("cpu_max_utilization_percent", 0, most=100),
        "memory_max_utilization_percent": given.number("memory_max_utilization_percent", 0, most=100),
        "gpu_max_utilization_percent": given.number("gpu_max_utilization_percent", 0, most=100),
        "gpu_max_memory_percent": given.number("gpu_max_memory_percent", 0, most=100),
    }
    given.check()
    changes: dict[str, Any] = {name: value for name, value in checked.items() if name in body}

    def change(connection: sqlite3.Connection) -> Policy:
        # In one transaction, so that a change of another agent at the same time is not lost.
        policy = replace(_read(connection), **changes)
        connection.execute("DELETE FROM policy")
        connection.execute("INSERT INTO policy (limits) VALUES (?)", (json.dumps(asdict(policy)),))
        return policy

    database = context_of(request).database
    policy = await (database.run(change) if changes else read_policy(database))
    return web.json_response(asdict(policy))
