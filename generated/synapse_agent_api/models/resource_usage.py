from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["ResourceUsage"]


@decode_when_read
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
