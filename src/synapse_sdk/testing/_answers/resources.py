"""The cluster's resources, feasibility checks and the policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from synapse_agent_api.models import ClusterNode, ClusterSnapshot, Feasibility, NodeCounts, ResourceUsage

from .._operations import Call, answers
from .._shape import shape
from .._state import State
from .cluster import gpu_summary

__all__ = ["check_feasibility", "get_cluster_resources", "get_runtime_policy", "update_runtime_policy"]


@answers("get_cluster_resources")
def get_cluster_resources(state: State, call: Call) -> object:
    nodes = list(state.nodes.values())
    alive = [node for node in nodes if node["alive"]]
    cached = state.snapshot if call.query["use_cache"] else None
    taken = cached or datetime.now(UTC).isoformat()
    state.snapshot = taken
    return shape(
        ClusterSnapshot,
        {
            "collected_at": taken,
            "stale": False,
            "cpu": _total(alive, "CPU"),
            "memory": _total(alive, "memory"),
            "object_store": None,
            "gpu": gpu_summary(gpu for node in alive for gpu in node.get("gpus") or ()),
            "running_jobs": sum(not job.over for job in state.jobs.values()),
            "total_serve_replicas": _replicas(state),
            "node_counts": shape(
                NodeCounts, {"total": len(nodes), "alive": len(alive), "dead": len(nodes) - len(alive)}
            ),
            "nodes": [_node(node) for node in nodes],
        },
    )


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    return shape(
        ClusterNode,
        {
            "node_id": node["node_id"],
            "host_name": node.get("hostname"),
            "ip": node["node_ip"],
            "is_head_node": node["is_head_node"],
            "state": node["state"],
            "accelerator_type": None,
            "cpu": _total([node], "CPU"),
            "memory": _total([node], "memory"),
            "gpus": node.get("gpus") or [],
        },
    )


def _total(nodes: Iterable[Mapping[str, Any]], name: str) -> dict[str, Any]:
    total = sum(node["resources_total"].get(name, 0) for node in nodes)
    return shape(ResourceUsage, {"total": total, "used": 0, "available": total})


def _replicas(state: State) -> int:
    return sum(
        len(deployment["replicas"])
        for application in state.applications.values()
        for deployment in application["deployments"].values()
    )


@answers("check_feasibility")
def check_feasibility(state: State, call: Call) -> object:
    """Check the nodes' resources and the policy's limits of jobs and replicas; nothing is ever busy."""
    body, policy = call.body, state.policy
    replicas = body["replicas"]
    needs = [(body["num_cpus"], "CPU"), (body["num_gpus"], "GPU"), (body.get("memory_bytes", 0), "memory")]
    asked = [(amount, name) for amount, name in needs if amount > 0]
    feasible = None
    if asked:
        feasible = sum(
            min(int(node["resources_total"].get(name, 0) / amount) for amount, name in asked)
            for node in state.nodes.values()
            if node["alive"]
        )
    found: dict[str, str] = {}
    if policy["gatekeeping_enabled"]:
        running, limit = sum(not job.over for job in state.jobs.values()), policy["max_concurrent_jobs"]
        if body["kind"] == "job" and 0 < limit <= running:
            found["max_concurrent_jobs"] = f"{running} of {limit} jobs are running"
        deployed, limit = _replicas(state), policy["max_concurrent_serve_replicas"]
        if body["kind"] == "serve" and deployed + replicas > limit:
            found["max_concurrent_serve_replicas"] = f"{deployed} of {limit} serve replicas are there"
    if feasible is not None and feasible < replicas:
        found["insufficient_resources"] = f"{replicas} don't fit, {feasible} would"
    return shape(
        Feasibility,
        {
            "allowed": not found,
            "reasons": list(found),
            "messages": list(found.values()),
            "feasible_replicas": feasible,
        },
    )


@answers("get_runtime_policy")
def get_runtime_policy(state: State, _: Call) -> object:
    return state.policy


@answers("update_runtime_policy")
def update_runtime_policy(state: State, call: Call) -> object:
    state.policy |= {name: value for name, value in call.body.items() if name in state.policy}
    return state.policy
