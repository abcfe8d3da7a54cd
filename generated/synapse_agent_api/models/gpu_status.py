from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, as_model, as_models, bind_setattr, decode_object, new
from .gpu_device import GpuDevice
from .gpu_summary import GpuSummary

__all__ = ["GpuStatus"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class GpuStatus(Model):
    """The GPUs of the agent's node.

    Attributes:
        gpus: The devices.
        summary: All of them in sum.
    """

    gpus: list[GpuDevice]
    summary: GpuSummary

    _names: ClassVar[Mapping[str, str]] = {"gpus": "gpus", "summary": "summary"}

    @classmethod
    def from_dict(cls, data: object, /) -> GpuStatus:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "GpuStatus")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        value = get("gpus")
        put("gpus", as_models(value, GpuDevice))
        value = get("summary")
        put("summary", as_model(value, GpuSummary))
        return self
