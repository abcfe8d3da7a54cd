from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_datetime, as_model, as_models, decode_when_read
from .cluster_node import ClusterNode
from .gpu_summary import GpuSummary
from .node_counts import NodeCounts
from .resource_usage import ResourceUsage

__all__ = ["ClusterSnapshot"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ClusterSnapshot(Model):
    """Resources of the cluster and their use at one moment.

    Attributes:
        collected_at: When it was taken, as an RFC 3339 date-time.
        stale: Whether it is older than the cache allows, because no new one could be read.
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
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "collected_at": as_datetime,
        "cpu": lambda value: as_model(value, ResourceUsage),
        "memory": lambda value: as_model(value, ResourceUsage),
        "object_store": lambda value: as_model(value, ResourceUsage),
        "gpu": lambda value: as_model(value, GpuSummary),
        "node_counts": lambda value: as_model(value, NodeCounts),
        "nodes": lambda value: as_models(value, ClusterNode),
    }
