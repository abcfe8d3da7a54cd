from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["Feasibility"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Feasibility(Model):
    """Whether a workload fits.

    Attributes:
        allowed: Whether the agent would let it in now.
        reasons: Why not, each as a word.
        messages: Why not, each as a sentence.
        feasible_replicas: How many replicas would fit.
    """

    allowed: bool
    reasons: list[str]
    messages: list[str]
    feasible_replicas: int | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "allowed": "allowed",
        "reasons": "reasons",
        "messages": "messages",
        "feasible_replicas": "feasible_replicas",
    }
