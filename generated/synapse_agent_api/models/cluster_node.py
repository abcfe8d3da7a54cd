from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, as_model, as_models, bind_setattr, decode_object, members, new
from .gpu_device import GpuDevice
from .node_state import NodeState
from .resource_usage import ResourceUsage

__all__ = ["ClusterNode"]

_node_state = members(NodeState)


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

    @classmethod
    def from_dict(cls, data: object, /) -> ClusterNode:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ClusterNode")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("node_id", get("node_id"))
        put("host_name", get("host_name"))
        put("ip", get("ip"))
        put("is_head_node", get("is_head_node"))
        value = get("state")
        put("state", (_node_state(value) or NodeState(value)) if type(value) is str else value)
        put("accelerator_type", get("accelerator_type"))
        value = get("cpu")
        put("cpu", as_model(value, ResourceUsage))
        value = get("memory")
        put("memory", as_model(value, ResourceUsage))
        value = get("gpus")
        put("gpus", as_models(value, GpuDevice))
        return self
