from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, as_datetime, as_model, as_models, bind_setattr, decode_object, new
from .cluster_node import ClusterNode
from .gpu_summary import GpuSummary
from .node_counts import NodeCounts
from .resource_usage import ResourceUsage

__all__ = ["ClusterSnapshot"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ClusterSnapshot(Model):
    """What the cluster has and uses at one moment.

    Attributes:
        collected_at: When it was taken, as an RFC 3339 date-time.
        stale: Whether it is older than the cache allows because a new one couldn't be had.
        cpu: CPU, in cores.
        memory: Memory, in bytes.
        object_store: Ray's object store, in bytes.
        gpu: All GPUs in sum.
        running_jobs: How many jobs are running.
        total_serve_replicas: How many serve replicas there are.
        node_counts: How many nodes there are.
        nodes: The nodes.
    """

    collected_at: datetime.datetime
    stale: bool
    cpu: ResourceUsage
    memory: ResourceUsage
    object_store: ResourceUsage | None = None
    gpu: GpuSummary
    running_jobs: int
    total_serve_replicas: int
    node_counts: NodeCounts
    nodes: list[ClusterNode]

    _names: ClassVar[Mapping[str, str]] = {
        "collected_at": "collected_at",
        "stale": "stale",
        "cpu": "cpu",
        "memory": "memory",
        "object_store": "object_store",
        "gpu": "gpu",
        "running_jobs": "running_jobs",
        "total_serve_replicas": "total_serve_replicas",
        "node_counts": "node_counts",
        "nodes": "nodes",
    }

    @classmethod
    def from_dict(cls, data: object, /) -> ClusterSnapshot:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ClusterSnapshot")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        value = get("collected_at")
        put("collected_at", as_datetime(value))
        put("stale", get("stale"))
        value = get("cpu")
        put("cpu", as_model(value, ResourceUsage))
        value = get("memory")
        put("memory", as_model(value, ResourceUsage))
        value = get("object_store")
        put("object_store", as_model(value, ResourceUsage))
        value = get("gpu")
        put("gpu", as_model(value, GpuSummary))
        put("running_jobs", get("running_jobs"))
        put("total_serve_replicas", get("total_serve_replicas"))
        value = get("node_counts")
        put("node_counts", as_model(value, NodeCounts))
        value = get("nodes")
        put("nodes", as_models(value, ClusterNode))
        return self
