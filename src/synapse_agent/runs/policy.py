"""By what limits workloads are let in. Kept in memory: a restarted agent has the defaults."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    max_concurrent_jobs: int = 3  # 0: no limit
    max_concurrent_serve_replicas: int = 16
    gatekeeping_enabled: bool = True
    cpu_max_utilization_percent: float = 90.0
    memory_max_utilization_percent: float = 90.0
    gpu_max_utilization_percent: float = 90.0
    gpu_max_memory_percent: float = 90.0
    max_concurrent_ray_jobs: int = 0  # 0: off
    resource_cache_ttl_seconds: float = 5.0
