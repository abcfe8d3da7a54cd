from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["JobDriverInfo"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class JobDriverInfo(Model):
    """The driver of a job.

    Attributes:
        id: Ray's id of the job.
        node_ip_address: The address of the node it runs on.
        pid: Its process id on that node.
    """

    id: str
    node_ip_address: str
    pid: str

    _names: ClassVar[Mapping[str, str]] = {"id": "id", "node_ip_address": "node_ip_address", "pid": "pid"}
