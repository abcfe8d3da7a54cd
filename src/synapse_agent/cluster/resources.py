"""The cluster's resources: total, in use, and whether a workload still fits.

Processors are counted as Ray schedules them; memory is that of the machines, since few jobs
reserve any of it with Ray.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from ..context import AgentContext, context_of
from ..errors import ApiError, FieldError, InvalidBodyError
from ..http.validation import Fields, read_object
from ..ray.client import TERMINAL, JsonObject, child
from ..runs.policy import Policy, read_policy
from .nodes import all_nodes, gpu_summary

__all__ = ["SNAPSHOTS", "Snapshots", "check_feasibility", "get_cluster_resources"]

# Replicas that are counted at most: a need close to zero fits any number of times.
_MOST = 10**9


class Snapshots:
    """The latest snapshot, replaced once it is older than the policy allows."""

    def __init__(self, context: AgentContext) -> None:
        self._context = context
        self._lock = asyncio.Lock()
        self._latest: JsonObject | None = None
        self._taken = -math.inf

    async def get(self, *, use_cache: bool) -> JsonObject:
        """Return a snapshot; if Ray fails and a cached one is allowed, that one, marked as stale."""
        asked = time.monotonic()
        async with self._lock:
            # One taken while we waited for the lock is as fresh as one of our own.
            since = asked
            if use_cache:
                since -= (await read_policy(self._context.database)).resource_cache_ttl_seconds
            if self._latest is not None and self._taken >= since:
                return self._latest
            taken = time.monotonic()
            try:
                self._latest = await _take(self._context)
            except ApiError:
                if self._latest is None or not use_cache:
                    raise
                return self._latest | {"stale": True}
            self._taken = taken
            return self._latest


SNAPSHOTS: web.AppKey[Snapshots] = web.AppKey("snapshots", Snapshots)


async def get_cluster_resources(request: web.Request) -> web.Response:
    word = request.query.get("use_cache", "true").lower()
    if word not in ("true", "false", "1", "0"):
        error = FieldError(("query", "use_cache"), "must be true or false", "bool_parsing", word)
        raise InvalidBodyError([error])
    return web.json_response(await request.app[SNAPSHOTS].get(use_cache=word in ("true", "1")))


async def check_feasibility(request: web.Request) -> web.Response:
    """Answer whether a workload would be admitted now, and if not, every reason."""
    fields = Fields(await read_object(request))
    fields.required("kind")
    kind = fields.choice("kind", ("job", "serve", "container", "task"))
    cpus = fields.number("num_cpus", 1.0)
    gpus = fields.number("num_gpus", 0.0)
    memory = fields.integer("memory_bytes", 0)
    replicas = fields.integer("replicas", 1, least=1)
    fields.object("metadata")
    fields.check()
    snapshot = await request.app[SNAPSHOTS].get(use_cache=True)
    feasible = _feasible_replicas(snapshot, cpus, gpus, memory)
    found = _policy_reasons(await read_policy(context_of(request).database), snapshot, kind, gpus, replicas)
    if feasible is not None and feasible < replicas:
        needs = f"{cpus:g} CPUs, {gpus:g} GPUs and {memory} bytes of memory each"
        found.append(("insufficient_resources", f"{replicas} of {needs} don't fit now, {feasible} would"))
    return web.json_response(
        {
            "allowed": not found,
            "reasons": [reason for reason, _ in found],
            "messages": [message for _, message in found],
            "feasible_replicas": feasible,
        }
    )


async def _take(context: AgentContext) -> JsonObject:
    ray = context.ray
    nodes, usage, jobs, applications = await asyncio.gather(
        all_nodes(ray), ray.usage(), context.jobs(), _applications(context)
    )
    by_node = child(usage, "usageByNode")
    alive = [node for node in nodes if node["alive"]]
    described = [_describe(node, child(by_node, node["node_id"])) for node in nodes]
    total = child(usage, "usage")
    store = total.get("objectStoreMemory")
    running = [node for node in described if node["state"] == "ALIVE"]
    return {
        "collected_at": datetime.now(UTC).isoformat(),
        "stale": False,
        "cpu": _sum(running, "cpu"),
        "memory": _sum(running, "memory"),
        "object_store": None if store is None else _amount(store[1], store[0]),
        "gpu": gpu_summary((gpu for node in alive for gpu in node["gpus"]), total),
        "running_jobs": sum(job["status"] not in TERMINAL for job in jobs),
        "total_serve_replicas": sum(
            len(deployment.get("replicas") or ())
            for application in applications.values()
            for deployment in child(application, "deployments").values()
        ),
        "node_counts": {"total": len(nodes), "alive": len(alive), "dead": len(nodes) - len(alive)},
        "nodes": described,
    }


async def _applications(context: AgentContext) -> dict[str, JsonObject]:
    try:
        return await context.ray.applications()
    except ApiError as error:
        if error.status == 501:  # a cluster without Serve has no replicas
            return {}
        raise


def _describe(node: JsonObject, usage: JsonObject) -> JsonObject:
    resources = child(node, "resources_total")
    used, total = usage.get("CPU", (0.0, resources.get("CPU", 0.0)))
    memory_total = node["memory_total_bytes"] or resources.get("memory", 0.0)
    memory_free = node["memory_available_bytes"]
    gpus_used, gpus_total = usage.get("GPU", (0.0, resources.get("GPU", 0.0)))
    kinds = [name.partition(":")[2] for name in resources if name.startswith("accelerator_type:")]
    return {
        "node_id": node["node_id"],
        "host_name": node["hostname"],
        "ip": node["node_ip"],
        "is_head_node": node["is_head_node"],
        "state": node["state"],
        "accelerator_type": kinds[0] if kinds else None,
        "cpu": _amount(total, used),
        "memory": _amount(memory_total, memory_total - memory_free if memory_free is not None else 0),
        "gpus": node["gpus"],
        "available_gpus": gpus_total - gpus_used,
    }


def _amount(total: float, used: float) -> JsonObject:
    return {"total": total, "used": used, "available": max(0, total - used)}


def _sum(nodes: list[JsonObject], what: str) -> JsonObject:
    return _amount(sum(node[what]["total"] for node in nodes), sum(node[what]["used"] for node in nodes))


def _feasible_replicas(snapshot: JsonObject, cpus: float, gpus: float, memory: int) -> int | None:
    """Return how many of these fit now, each on one node; None if no resource is requested."""
    needs: list[tuple[float, Callable[[JsonObject], float]]] = [
        (cpus, lambda node: node["cpu"]["available"]),
        (gpus, lambda node: node["available_gpus"]),
        (memory, lambda node: node["memory"]["available"]),
    ]
    asked = [(amount, free) for amount, free in needs if amount > 0]
    if not asked:
        return None
    alive = [node for node in snapshot["nodes"] if node["state"] == "ALIVE"]
    return sum(int(min(_MOST, *(free(node) / amount for amount, free in asked))) for node in alive)


def _policy_reasons(
    policy: Policy, snapshot: JsonObject, kind: str, gpus: float, replicas: int
) -> list[tuple[str, str]]:
    if not policy.gatekeeping_enabled:
        return []
    found: list[tuple[str, str]] = []
    running, deployed = snapshot["running_jobs"], snapshot["total_serve_replicas"]
    if kind == "job" and 0 < policy.max_concurrent_jobs <= running:
        found.append(("max_concurrent_jobs", f"{running} of {policy.max_concurrent_jobs} jobs are running"))
    if kind == "job" and 0 < policy.max_concurrent_ray_jobs <= running:
        limit = policy.max_concurrent_ray_jobs
        found.append(("max_concurrent_ray_jobs", f"{running} of {limit} Ray jobs are running"))
    if kind == "serve" and deployed + replicas > policy.max_concurrent_serve_replicas:
        limit = policy.max_concurrent_serve_replicas
        found.append(("max_concurrent_serve_replicas", f"{deployed} of {limit} serve replicas are there"))

    def busy(name: str, percent: float | None, limit: float) -> None:
        if percent is not None and percent > limit:
            found.append((name, f"{name.replace('_', ' ')} is {percent:.0f} %, the limit {limit:g} %"))

    busy("cpu_utilization", _percent(snapshot["cpu"]), policy.cpu_max_utilization_percent)
    busy("memory_utilization", _percent(snapshot["memory"]), policy.memory_max_utilization_percent)
    if gpus > 0:
        gpu = snapshot["gpu"]
        memory = _amount(gpu["total_memory_bytes"], gpu["total_memory_bytes"] - gpu["available_memory_bytes"])
        busy("gpu_utilization", gpu["max_utilization"], policy.gpu_max_utilization_percent)
        busy("gpu_memory", _percent(memory), policy.gpu_max_memory_percent)
    return found


def _percent(amount: JsonObject) -> float | None:
    return 100 * amount["used"] / amount["total"] if amount["total"] else None
