from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, members, new
from .system_operation import SystemOperation

__all__ = ["SystemStatus"]

_system_operation = members(SystemOperation)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class SystemStatus(Model):
    """Whether the agent is being updated or restarted.

    Attributes:
        in_progress: Whether something is under way.
        operation: What is under way.
        started_at: When it began, in milliseconds since the epoch.
        api_tag: The image tag that the agent is brought to.
        worker_tag: The image tag that the workers are brought to.
    """

    in_progress: bool
    operation: SystemOperation | None = None
    started_at: int | None = None
    api_tag: str | None = None
    worker_tag: str | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "in_progress": "in_progress",
        "operation": "operation",
        "started_at": "started_at",
        "api_tag": "api_tag",
        "worker_tag": "worker_tag",
    }

    @classmethod
    def from_dict(cls, data: object, /) -> SystemStatus:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "SystemStatus")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("in_progress", get("in_progress"))
        value = get("operation")
        put(
            "operation", (_system_operation(value) or SystemOperation(value)) if type(value) is str else value
        )
        put("started_at", get("started_at"))
        put("api_tag", get("api_tag"))
        put("worker_tag", get("worker_tag"))
        return self
