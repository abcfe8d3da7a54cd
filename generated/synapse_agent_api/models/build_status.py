from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["BuildStatus"]


class BuildStatus(OpenStrEnum):
    """Status of a build. `completed`, `failed` and `cancelled` are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
