from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["RuntimePolicy"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class RuntimePolicy(Model):
    """The limits for new workloads.

    Attributes:
        max_concurrent_jobs: How many jobs may run at once; 0 lifts the limit. The default is 3.
        max_concurrent_serve_replicas: How many serve replicas there may be. The default is 16.
        gatekeeping_enabled: Whether the limits are applied at all. The default is true.
        cpu_max_utilization_percent: How busy the CPUs may be, in percent, 0 to 100. The default is 90.
        memory_max_utilization_percent: How much memory may be in use, in percent, 0 to 100. The default is
            90.
        gpu_max_utilization_percent: How busy the GPUs may be, in percent, 0 to 100. The default is 90.
        gpu_max_memory_percent: How much GPU memory may be in use, in percent, 0 to 100. The default is 90.
        max_concurrent_ray_jobs: How many Ray jobs may run at once, from any source; 0, the default, lifts the
            limit.
        resource_cache_ttl_seconds: How old a cached snapshot of the cluster may be, in seconds. The default
            is 5.
    """

    max_concurrent_jobs: int
    max_concurrent_serve_replicas: int
    gatekeeping_enabled: bool
    cpu_max_utilization_percent: float
    memory_max_utilization_percent: float
    gpu_max_utilization_percent: float
    gpu_max_memory_percent: float
    max_concurrent_ray_jobs: int
    resource_cache_ttl_seconds: float

    _names: ClassVar[Mapping[str, str]] = {
        "max_concurrent_jobs": "max_concurrent_jobs",
        "max_concurrent_serve_replicas": "max_concurrent_serve_replicas",
        "gatekeeping_enabled": "gatekeeping_enabled",
        "cpu_max_utilization_percent": "cpu_max_utilization_percent",
        "memory_max_utilization_percent": "memory_max_utilization_percent",
        "gpu_max_utilization_percent": "gpu_max_utilization_percent",
        "gpu_max_memory_percent": "gpu_max_memory_percent",
        "max_concurrent_ray_jobs": "max_concurrent_ray_jobs",
        "resource_cache_ttl_seconds": "resource_cache_ttl_seconds",
    }
