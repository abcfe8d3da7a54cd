from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_model, decode_when_read
from .build_status import BuildStatus
from .container import Container

__all__ = ["Build"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Build(Model):
    """The build of a container.

    Attributes:
        status: Its status.
        result: The container, once the build is completed.
        error: Why it failed.
    """

    status: BuildStatus
    result: Container | None = None
    error: str | None = None

    _names: ClassVar[Mapping[str, str]] = {"status": "status", "result": "result", "error": "error"}
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "status": BuildStatus,
        "result": lambda value: as_model(value, Container),
    }
