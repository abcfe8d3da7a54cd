from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["SystemOperation"]


class SystemOperation(OpenStrEnum):
    """What is done to the agent."""

    UPDATE = "update"
    RESTART = "restart"
