from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["ServeReplicaState"]


class ServeReplicaState(OpenStrEnum):
    """Where a replica stands."""

    STARTING = "STARTING"
    UPDATING = "UPDATING"
    RECOVERING = "RECOVERING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    PENDING_MIGRATION = "PENDING_MIGRATION"
