from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["GpuDevice"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class GpuDevice(Model):
    """One GPU.

    Attributes:
        index: Its number on the node, from 0.
        name: Its model.
        uuid: Its id.
        utilization_gpu: How busy it is, in percent, 0 to 100.
        memory_used: How much of its memory is in use, in MB.
        memory_total: Its memory, in MB.
        processes_pids: The ids of the processes that use it.
        memory_used_ratio: How much of its memory is in use, 0 to 1.
    """

    index: int
    name: str
    uuid: str
    utilization_gpu: float | None = None
    memory_used: float
    memory_total: float
    processes_pids: list[int] | None = None
    memory_used_ratio: float | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "index": "index",
        "name": "name",
        "uuid": "uuid",
        "utilization_gpu": "utilization_gpu",
        "memory_used": "memory_used",
        "memory_total": "memory_total",
        "processes_pids": "processes_pids",
        "memory_used_ratio": "memory_used_ratio",
    }
