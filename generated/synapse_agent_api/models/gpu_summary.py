from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["GpuSummary"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class GpuSummary(Model):
    """Several GPUs in sum.

    Attributes:
        total_gpus: How many there are.
        available_gpus: How many are free; a part where one is shared.
        total_memory_bytes: Their memory, in bytes.
        available_memory_bytes: How much of it is free, in bytes.
        max_utilization: How busy the busiest is, in percent, 0 to 100; null where that isn't known.
        avg_utilization: How busy they are on average, in percent, 0 to 100; null where that isn't known.
    """

    total_gpus: float
    available_gpus: float
    total_memory_bytes: int
    available_memory_bytes: int
    max_utilization: float | None
    avg_utilization: float | None

    _names: ClassVar[Mapping[str, str]] = {
        "total_gpus": "total_gpus",
        "available_gpus": "available_gpus",
        "total_memory_bytes": "total_memory_bytes",
        "available_memory_bytes": "available_memory_bytes",
        "max_utilization": "max_utilization",
        "avg_utilization": "avg_utilization",
    }
