"""Reading and changing the policy."""

from __future__ import annotations

from dataclasses import asdict, replace

from aiohttp import web

from ..http.validation import Fields, read_object
from .state import run_state_of

__all__ = ["get_runtime_policy", "update_runtime_policy"]


async def get_runtime_policy(request: web.Request) -> web.Response:
    return web.json_response(asdict(run_state_of(request).policy))


async def update_runtime_policy(request: web.Request) -> web.Response:
    """Change the limits given, all or, if one of them is wrong, none."""
    # Null could mean the default as well as no change.
    fields = Fields(await read_object(request), nulls=False)
    state = run_state_of(request)
    now = state.policy
    policy = replace(
        now,
        max_concurrent_jobs=fields.integer("max_concurrent_jobs", now.max_concurrent_jobs),
        max_concurrent_serve_replicas=fields.integer(
            "max_concurrent_serve_replicas", now.max_concurrent_serve_replicas
        ),
        gatekeeping_enabled=fields.boolean("gatekeeping_enabled", now.gatekeeping_enabled),
        max_concurrent_ray_jobs=fields.integer("max_concurrent_ray_jobs", now.max_concurrent_ray_jobs),
        resource_cache_ttl_seconds=fields.number(
            "resource_cache_ttl_seconds", now.resource_cache_ttl_seconds, most=86_400
        ),
        cpu_max_utilization_percent=fields.number(
            "cpu_max_utilization_percent", now.cpu_max_utilization_percent, most=100
        ),
        memory_max_utilization_percent=fields.number(
            "memory_max_utilization_percent", now.memory_max_utilization_percent, most=100
        ),
        gpu_max_utilization_percent=fields.number(
            "gpu_max_utilization_percent", now.gpu_max_utilization_percent, most=100
        ),
        gpu_max_memory_percent=fields.number("gpu_max_memory_percent", now.gpu_max_memory_percent, most=100),
    )
    fields.check()
    state.policy = policy
    return web.json_response(asdict(policy))
