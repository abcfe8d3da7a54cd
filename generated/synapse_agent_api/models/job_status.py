from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["JobStatus"]


class JobStatus(OpenStrEnum):
    """Where a job stands. STOPPED, SUCCEEDED and FAILED are final."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
