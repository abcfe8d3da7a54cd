from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["JobDriverInfo"]


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

    @classmethod
    def from_dict(cls, data: object, /) -> JobDriverInfo:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "JobDriverInfo")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("id", get("id"))
        put("node_ip_address", get("node_ip_address"))
        put("pid", get("pid"))
        return self
