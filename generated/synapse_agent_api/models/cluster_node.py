from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_model, as_models, decode_when_read
from .gpu_device import GpuDevice
from .node_state import NodeState
from .resource_usage import ResourceUsage

__all__ = ["ClusterNode"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ClusterNode(Model):
    """One node in a snapshot.

    Attributes:
        node_id: The node's id in Ray.
        host_name: The machine's name.
        ip: Its address.
        is_head_node: Whether it is the head of the cluster.
        state: Whether it lives.
        accelerator_type: What kind of accelerator it has, if any.
        cpu: CPU, in cores.
        memory: Memory, in bytes.
        gpus: Its GPUs.
    """

    node_id: str
    host_name: str | None = None
    ip: str | None = None
    is_head_node: bool
    state: NodeState
    accelerator_type: str | None = None
    cpu: ResourceUsage
    memory: ResourceUsage
    gpus: list[GpuDevice]

    _names: ClassVar[Mapping[str, str]] = {
        "node_id": "node_id",
        "host_name": "host_name",
        "ip": "ip",
        "is_head_node": "is_head_node",
        "state": "state",
        "accelerator_type": "accelerator_type",
        "cpu": "cpu",
        "memory": "memory",
        "gpus": "gpus",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "state": NodeState,
        "cpu": lambda value: as_model(value, ResourceUsage),
        "memory": lambda value: as_model(value, ResourceUsage),
        "gpus": lambda value: as_models(value, GpuDevice),
    }
