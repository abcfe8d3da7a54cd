from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.runtime_policy import RuntimePolicy

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> RuntimePolicy:
    from ...models.runtime_policy import RuntimePolicy

    return RuntimePolicy.from_dict(data)


OPERATION: Operation[RuntimePolicy] = Operation(
    id="update_runtime_policy",
    method="PATCH",
    path="resources/policy/",
    summary="update runtime policy",
    decoders={200: _decode_200},
)


def arguments(
    *,
    max_concurrent_jobs: int | None = None,
    max_concurrent_serve_replicas: int | None = None,
    gatekeeping_enabled: bool | None = None,
    cpu_max_utilization_percent: float | None = None,
    memory_max_utilization_percent: float | None = None,
    gpu_max_utilization_percent: float | None = None,
    gpu_max_memory_percent: float | None = None,
    max_concurrent_ray_jobs: int | None = None,
    resource_cache_ttl_seconds: float | None = None,
) -> Arguments:
    """Build the request."""
    _body = _present(
        {
            "max_concurrent_jobs": max_concurrent_jobs,
            "max_concurrent_serve_replicas": max_concurrent_serve_replicas,
            "gatekeeping_enabled": gatekeeping_enabled,
            "cpu_max_utilization_percent": cpu_max_utilization_percent,
            "memory_max_utilization_percent": memory_max_utilization_percent,
            "gpu_max_utilization_percent": gpu_max_utilization_percent,
            "gpu_max_memory_percent": gpu_max_memory_percent,
            "max_concurrent_ray_jobs": max_concurrent_ray_jobs,
            "resource_cache_ttl_seconds": resource_cache_ttl_seconds,
        }
    )
    return Arguments(body=_body)
