from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["Health"]


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

    @classmethod
    def from_dict(cls, data: object, /) -> Health:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "Health")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("status", get("status"))
        put("version", get("version"))
        put("ray_available", get("ray_available"))
        put("message", get("message"))
        return self
