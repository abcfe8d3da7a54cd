from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["Health"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Health(Model):
    """How the agent is.

    Attributes:
        status: `ok` where all is well; another word where something, such as Ray, is not.
        version: The agent's version.
        ray_available: Whether the agent reaches its Ray cluster.
        message: What is wrong, in words.
    """

    status: str
    version: str | None = None
    ray_available: bool | None = None
    message: str | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "status": "status",
        "version": "version",
        "ray_available": "ray_available",
        "message": "message",
    }
