"""Nodes, GPUs, tasks and serve applications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_agent_api.models import GpuStatus, GpuSummary

from .._operations import Call, answers
from .._reply import ApiError
from .._shape import shape
from .._state import State, found

__all__ = [
    "delete_serve_application",
    "get_gpu_status",
    "get_node",
    "get_serve_application",
    "get_task",
    "gpu_summary",
    "list_nodes",
    "list_serve_applications",
    "list_tasks",
]

_MB = 1024 * 1024


@answers("list_nodes")
def list_nodes(state: State, _: Call) -> object:
    return list(state.nodes.values())


@answers("get_node")
def get_node(state: State, call: Call) -> object:
    return found(state.nodes, call.path["node_id"], "node")


@answers("get_gpu_status")
def get_gpu_status(state: State, _: Call) -> object:
    if state.gpus is None:
        raise ApiError.typed(503, "this node has no GPUs", "gpu_unavailable")
    return shape(GpuStatus, {"gpus": state.gpus, "summary": gpu_summary(state.gpus)})


def gpu_summary(gpus: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the totals of GPUs; one without processes is free."""
    gpus = list(gpus)
    busy = [gpu["utilization_gpu"] for gpu in gpus if gpu.get("utilization_gpu") is not None]
    return shape(
        GpuSummary,
        {
            "total_gpus": len(gpus),
            "available_gpus": sum(not gpu.get("processes_pids") for gpu in gpus),
            "total_memory_bytes": int(sum(gpu["memory_total"] for gpu in gpus) * _MB),
            "available_memory_bytes": int(
                sum(gpu["memory_total"] - gpu["memory_used"] for gpu in gpus) * _MB
            ),
            "max_utilization": max(busy, default=None),
            "avg_utilization": sum(busy) / len(busy) if busy else None,
        },
    )


@answers("list_tasks")
def list_tasks(state: State, call: Call) -> object:
    query = call.query
    tasks = list(state.tasks.values())
    if "job_id" in query:
        job = state.jobs.get(query["job_id"])
        ray_id = query["job_id"] if job is None else job.shape()["job_id"]
        tasks = [task for task in tasks if task["job_id"] == ray_id]
    if "state" in query:
        tasks = [task for task in tasks if task["state"] == query["state"]]
    return tasks[: query.get("limit")]


@answers("get_task")
def get_task(state: State, call: Call) -> object:
    return found(state.tasks, call.path["task_id"], "task")


@answers("list_serve_applications")
def list_serve_applications(state: State, _: Call) -> object:
    return list(state.applications.values())


@answers("get_serve_application")
def get_serve_application(state: State, call: Call) -> object:
    return found(state.applications, call.path["name"], "serve application")


@answers("delete_serve_application")
def delete_serve_application(state: State, call: Call) -> object:
    found(state.applications, call.path["name"], "serve application")
    del state.applications[call.path["name"]]
    return None
