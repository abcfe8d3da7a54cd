from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["ServeApplicationStatus"]


class ServeApplicationStatus(OpenStrEnum):
    """Status of an application."""

    NOT_STARTED = "NOT_STARTED"
    DEPLOYING = "DEPLOYING"
    RUNNING = "RUNNING"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    DELETING = "DELETING"
    UNHEALTHY = "UNHEALTHY"
