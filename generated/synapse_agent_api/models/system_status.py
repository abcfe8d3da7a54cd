from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read
from .system_operation import SystemOperation

__all__ = ["SystemStatus"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class SystemStatus(Model):
    """Whether the agent is being updated or restarted.

    Attributes:
        in_progress: Whether something is in progress.
        operation: What is in progress.
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
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"operation": SystemOperation}
