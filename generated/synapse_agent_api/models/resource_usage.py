from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["ResourceUsage"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ResourceUsage(Model):
    """How much there is of something, in the unit of the field that holds it.

    Attributes:
        total: How much there is.
        used: How much of it is in use.
        available: How much of it is free.
    """

    total: float
    used: float
    available: float

    _names: ClassVar[Mapping[str, str]] = {"total": "total", "used": "used", "available": "available"}

    @classmethod
    def from_dict(cls, data: object, /) -> ResourceUsage:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ResourceUsage")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("total", get("total"))
        put("used", get("used"))
        put("available", get("available"))
        return self
