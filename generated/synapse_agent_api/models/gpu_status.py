from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_model, as_models, decode_when_read
from .gpu_device import GpuDevice
from .gpu_summary import GpuSummary

__all__ = ["GpuStatus"]


@decode_when_read
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
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "gpus": lambda value: as_models(value, GpuDevice),
        "summary": lambda value: as_model(value, GpuSummary),
    }
