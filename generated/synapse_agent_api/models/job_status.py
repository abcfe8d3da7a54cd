from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["JobStatus"]


class JobStatus(OpenStrEnum):
    """Status of a job. STOPPED, SUCCEEDED and FAILED are final."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
