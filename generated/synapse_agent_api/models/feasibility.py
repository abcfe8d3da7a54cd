from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["Feasibility"]


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

    @classmethod
    def from_dict(cls, data: object, /) -> Feasibility:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "Feasibility")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("allowed", get("allowed"))
        put("reasons", get("reasons"))
        put("messages", get("messages"))
        put("feasible_replicas", get("feasible_replicas"))
        return self
