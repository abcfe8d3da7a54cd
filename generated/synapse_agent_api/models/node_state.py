from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["NodeState"]


class NodeState(OpenStrEnum):
    """Whether a node lives."""

    ALIVE = "ALIVE"
    DEAD = "DEAD"
