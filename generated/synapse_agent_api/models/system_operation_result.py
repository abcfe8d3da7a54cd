from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read
from .system_operation_status import SystemOperationStatus

__all__ = ["SystemOperationResult"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class SystemOperationResult(Model):
    """How an update or a restart went.

    Attributes:
        status: The result, or that it is in progress.
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
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"status": SystemOperationStatus}
