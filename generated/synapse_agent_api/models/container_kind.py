from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["ContainerKind"]


class ContainerKind(OpenStrEnum):
    """What a container is for."""

    PLUGIN_RUNTIME = "plugin_runtime"
    CODE_SERVER = "code_server"
