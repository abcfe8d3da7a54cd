from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["NodeCounts"]


@decode_when_read
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
