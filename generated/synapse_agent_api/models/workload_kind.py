from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["WorkloadKind"]


class WorkloadKind(OpenStrEnum):
    """What kind of workload it is."""

    JOB = "job"
    SERVE = "serve"
    CONTAINER = "container"
    TASK = "task"
