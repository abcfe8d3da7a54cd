from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["JobStopResult"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class JobStopResult(Model):
    """What became of the request to stop a job.

    Attributes:
        stopped: Whether it is being stopped; false when it was over already.
    """

    stopped: bool

    _names: ClassVar[Mapping[str, str]] = {"stopped": "stopped"}

    @classmethod
    def from_dict(cls, data: object, /) -> JobStopResult:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "JobStopResult")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("stopped", get("stopped"))
        return self
