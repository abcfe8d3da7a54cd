from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["ServeDeploymentStatus"]


class ServeDeploymentStatus(OpenStrEnum):
    """Where a deployment stands."""

    UPDATING = "UPDATING"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    UPSCALING = "UPSCALING"
    DOWNSCALING = "DOWNSCALING"
