from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["TaskType"]


class TaskType(OpenStrEnum):
    """What kind of task it is."""

    NORMAL_TASK = "NORMAL_TASK"
    ACTOR_CREATION_TASK = "ACTOR_CREATION_TASK"
    ACTOR_TASK = "ACTOR_TASK"
    DRIVER_TASK = "DRIVER_TASK"
