from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["ServeDeploymentStatus"]


class ServeDeploymentStatus(OpenStrEnum):
    """Status of a deployment."""

    UPDATING = "UPDATING"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    UPSCALING = "UPSCALING"
    DOWNSCALING = "DOWNSCALING"
