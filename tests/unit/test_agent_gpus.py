"""GPUs as Ray's dashboard reports them, and as the agent does. No machine of ours has any."""

from __future__ import annotations

import asyncio
from typing import Any

from tables import each_row

from synapse_agent.cluster.nodes import all_nodes, gpu_summary

DEVICE = {"index": 0, "name": "NVIDIA A100", "uuid": "GPU-1"}
SNAKE = {"utilization_gpu": 40, "memory_used": 10_240, "memory_total": 40_960}
CAMEL = {"utilizationGpu": 40, "memoryUsed": 10_240, "memoryTotal": 40_960}


class Ray:
    """A cluster of one machine with these devices."""

    def __init__(self, *devices: dict[str, Any]) -> None:
        self._devices = list(devices)

    async def nodes(self) -> list[dict[str, Any]]:
        return [{"node_id": "n1", "state": "ALIVE"}, {"node_id": "n2", "state": "DEAD"}]

    async def hardware(self) -> list[dict[str, Any]]:
        return [{"raylet": {"nodeId": "n1"}, "mem": [100, 60, 40.0, 40], "gpus": self._devices}, {}]


def gpus_of(*devices: dict[str, Any]) -> list[dict[str, Any]]:
    ray: Any = Ray(*devices)
    first, second = asyncio.run(all_nodes(ray))
    assert (first["alive"], first["memory_total_bytes"], first["memory_available_bytes"]) == (True, 100, 60)
    assert (second["alive"], second["memory_total_bytes"], second["gpus"]) == (False, None, [])
    return first["gpus"]  # type: ignore[no-any-return]


@each_row("names", [SNAKE, CAMEL], ids=["snake", "camel"])
def test_a_device_by_either_kind_of_names(names: dict[str, Any]) -> None:
    pids = "processesPids" if names is CAMEL else "processes_pids"
    (gpu,) = gpus_of(DEVICE | names | {pids: [{"pid": 7, "gpuMemoryUsage": 1}, "8", 9, "none"]})
    told = {"processes_pids": [7, 8, 9, "none"], "memory_used_ratio": 0.25}
    assert gpu == DEVICE | SNAKE | told


def test_a_device_that_tells_nothing() -> None:
    (gpu,) = gpus_of({})
    nothing = dict.fromkeys(
        ["index", "name", "uuid", "utilization_gpu", "processes_pids", "memory_used_ratio"]
    )
    assert gpu == nothing | {"memory_used": 0, "memory_total": 0}


def test_the_summary_counts_what_ray_can_give_away() -> None:
    gpus = gpus_of(DEVICE | SNAKE, DEVICE | SNAKE | {"utilization_gpu": 80}, DEVICE | {"memory_total": 1})
    assert gpu_summary(gpus, {"GPU": [0.5, 3.0]}) == {
        "total_gpus": 3.0,
        "available_gpus": 2.5,
        "total_memory_bytes": 81_921 * 1024**2,
        "available_memory_bytes": 61_441 * 1024**2,
        "max_utilization": 80,
        "avg_utilization": 60,
    }
    summary = gpu_summary(gpus_of(DEVICE), {})
    assert (summary["total_gpus"], summary["available_gpus"]) == (1.0, 1.0)
    assert (summary["max_utilization"], summary["avg_utilization"]) == (None, None)
