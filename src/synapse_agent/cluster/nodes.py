"""Nodes and their GPUs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.validation import resource_id
from ..ray.client import JsonObject, RayClient, child

__all__ = ["all_nodes", "get_gpu_status", "get_node", "gpu_summary", "list_nodes"]

_FIELDS = (
    "node_id",
    "node_ip",
    "is_head_node",
    "state",
    "state_message",
    "node_name",
    "resources_total",
    "labels",
    "start_time_ms",
    "end_time_ms",
)


async def all_nodes(ray: RayClient) -> list[JsonObject]:
    """Return Ray's nodes, each with the metrics of its machine."""
    nodes, machines = await asyncio.gather(ray.nodes(), ray.hardware())
    by_id = {machine.get("raylet", {}).get("nodeId"): machine for machine in machines}
    return [_node(node, by_id.get(node["node_id"], {})) for node in nodes]


async def list_nodes(request: web.Request) -> web.Response:
    return web.json_response(await all_nodes(context_of(request).ray))


async def get_node(request: web.Request) -> web.Response:
    node_id = resource_id(request, "node_id")
    for node in await all_nodes(context_of(request).ray):
        if node["node_id"] == node_id:
            return web.json_response(node)
    raise ApiError(404, f"there is no node {node_id}")


async def get_gpu_status(request: web.Request) -> web.Response:
    ray = context_of(request).ray
    nodes, usage = await asyncio.gather(all_nodes(ray), ray.usage())
    gpus = [gpu for node in nodes if node["alive"] for gpu in node["gpus"]]
    if not gpus:
        raise ApiError.typed(503, "no node of this cluster reports a GPU", "gpu_unavailable")
    return web.json_response({"gpus": gpus, "summary": gpu_summary(gpus, child(usage, "usage"))})


def gpu_summary(gpus: Iterable[JsonObject], usage: JsonObject) -> JsonObject:
    """Return how many GPUs Ray can still assign, and the memory and load of the devices."""
    devices = list(gpus)
    used, total = usage.get("GPU", (0.0, float(len(devices))))
    mib = 1024 * 1024
    memory = sum(gpu["memory_total"] for gpu in devices)
    busy = [gpu["utilization_gpu"] for gpu in devices if gpu["utilization_gpu"] is not None]
    return {
        "total_gpus": total,
        "available_gpus": total - used,
        "total_memory_bytes": int(memory * mib),
        "available_memory_bytes": int((memory - sum(gpu["memory_used"] for gpu in devices)) * mib),
        "max_utilization": max(busy) if busy else None,
        "avg_utilization": sum(busy) / len(busy) if busy else None,
    }


def _node(node: JsonObject, machine: JsonObject) -> JsonObject:
    # mem is [total, available, percent, used]
    memory = machine.get("mem") or [None, None]
    return {name: node.get(name) for name in _FIELDS} | {
        "alive": node.get("state") == "ALIVE",
        "hostname": machine.get("hostname"),
        "cpu_percent": machine.get("cpu"),
        "memory_total_bytes": memory[0],
        "memory_available_bytes": memory[1],
        "gpus": [_gpu(gpu) for gpu in cast("list[JsonObject]", machine.get("gpus") or [])],
    }


def _gpu(device: JsonObject) -> JsonObject:
    # The dashboard converts names in nested objects to camel case.
    def read(snake: str, camel: str) -> object:
        return device.get(snake, device.get(camel))

    used = cast("float", read("memory_used", "memoryUsed") or 0)
    total = cast("float", read("memory_total", "memoryTotal") or 0)
    pids = read("processes_pids", "processesPids")
    return {
        "index": device.get("index"),
        "name": device.get("name"),
        "uuid": device.get("uuid"),
        "utilization_gpu": read("utilization_gpu", "utilizationGpu"),
        "memory_used": used,
        "memory_total": total,
        "processes_pids": None if pids is None else [_pid(p) for p in cast("Iterable[object]", pids)],
        "memory_used_ratio": used / total if total else None,
    }


def _pid(process: object) -> object:
    if isinstance(process, dict):
        return cast("JsonObject", process).get("pid")
    return int(process) if isinstance(process, str) and process.isdigit() else process
