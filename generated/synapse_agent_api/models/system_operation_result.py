from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, members, new
from .system_operation_status import SystemOperationStatus

__all__ = ["SystemOperationResult"]

_system_operation_status = members(SystemOperationStatus)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class SystemOperationResult(Model):
    """How an update or a restart went.

    Attributes:
        status: How it went, or that it is under way.
        message: The same in words.
        pull_output: What pulling the images printed.
        up_output: What starting the containers printed.
    """

    status: SystemOperationStatus
    message: str
    pull_output: str | None = None
    up_output: str | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "status": "status",
        "message": "message",
        "pull_output": "pull_output",
        "up_output": "up_output",
    }

    @classmethod
    def from_dict(cls, data: object, /) -> SystemOperationResult:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "SystemOperationResult")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        value = get("status")
        put(
            "status",
            (_system_operation_status(value) or SystemOperationStatus(value))
            if type(value) is str
            else value,
        )
        put("message", get("message"))
        put("pull_output", get("pull_output"))
        put("up_output", get("up_output"))
        return self
