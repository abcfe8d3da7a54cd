from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["SystemOperationStatus"]


class SystemOperationStatus(OpenStrEnum):
    """How an update or a restart went."""

    SUCCESS = "success"
    ERROR = "error"
    IN_PROGRESS = "in_progress"
