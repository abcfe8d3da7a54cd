from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["BuildStatus"]


class BuildStatus(OpenStrEnum):
    """Where a build stands. `completed`, `failed` and `cancelled` are final; any other is one on the way."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
