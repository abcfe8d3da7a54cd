from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["ServeReplicaState"]


class ServeReplicaState(OpenStrEnum):
    """State of a replica."""

    STARTING = "STARTING"
    UPDATING = "UPDATING"
    RECOVERING = "RECOVERING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    PENDING_MIGRATION = "PENDING_MIGRATION"
