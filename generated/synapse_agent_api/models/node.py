from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_models, decode_when_read
from .gpu_device import GpuDevice
from .node_state import NodeState

__all__ = ["Node"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Node(Model):
    """A node of the Ray cluster, with the hardware that the agent knows.

    Attributes:
        node_id: The node's id in Ray.
        node_ip: Its address.
        is_head_node: Whether it is the head of the cluster.
        state: Whether it lives, as a word.
        state_message: Why it is in that state.
        node_name: Its name in Ray.
        resources_total: What Ray may use of it, by name; CPU and GPU as counts, memory in bytes.
        labels: Its labels in Ray.
        start_time_ms: When it joined, in milliseconds since the epoch.
        end_time_ms: When it left, in milliseconds since the epoch; 0 while it lives.
        alive: Whether it lives.
        hostname: The machine's name.
        cpu_percent: How busy its CPUs are, in percent, 0 to 100.
        memory_total_bytes: Its memory, in bytes.
        memory_available_bytes: How much of it is free, in bytes.
        gpus: Its GPUs.
    """

    node_id: str
    node_ip: str
    is_head_node: bool
    state: NodeState
    state_message: str | None = None
    node_name: str
    resources_total: dict[str, float]
    labels: dict[str, str]
    start_time_ms: int
    end_time_ms: int
    alive: bool
    hostname: str | None = None
    cpu_percent: float | None = None
    memory_total_bytes: int | None = None
    memory_available_bytes: int | None = None
    gpus: list[GpuDevice] | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "node_id": "node_id",
        "node_ip": "node_ip",
        "is_head_node": "is_head_node",
        "state": "state",
        "state_message": "state_message",
        "node_name": "node_name",
        "resources_total": "resources_total",
        "labels": "labels",
        "start_time_ms": "start_time_ms",
        "end_time_ms": "end_time_ms",
        "alive": "alive",
        "hostname": "hostname",
        "cpu_percent": "cpu_percent",
        "memory_total_bytes": "memory_total_bytes",
        "memory_available_bytes": "memory_available_bytes",
        "gpus": "gpus",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "state": NodeState,
        "gpus": lambda value: as_models(value, GpuDevice),
    }
