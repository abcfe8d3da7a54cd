"""Plugin releases as they are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from synapse_agent_api.models import PluginRelease

from ._shape import shape
from ._state import now

__all__ = ["release_shape"]


def release_shape(number: int, plugin: str, version: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Make a release."""
    checksum = hashlib.sha256(f"{plugin}@{version}".encode("utf-8", "surrogatepass")).hexdigest()
    fields = {
        "id": number,
        "plugin": plugin,
        "version": version,
        "config": dict(config),
        "checksum": checksum,
        "created": now(),
    }
    return shape(PluginRelease, fields)
