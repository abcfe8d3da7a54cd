from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["NodeCounts"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class NodeCounts(Model):
    """How many nodes there are.

    Attributes:
        total: All of them.
        alive: Those that live.
        dead: Those that are gone.
    """

    total: int
    alive: int
    dead: int

    _names: ClassVar[Mapping[str, str]] = {"total": "total", "alive": "alive", "dead": "dead"}

    @classmethod
    def from_dict(cls, data: object, /) -> NodeCounts:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "NodeCounts")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("total", get("total"))
        put("alive", get("alive"))
        put("dead", get("dead"))
        return self
