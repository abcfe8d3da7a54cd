from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["JobStopResult"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class JobStopResult(Model):
    """What became of the request to stop a job.

    Attributes:
        stopped: Whether it is being stopped; false when it was over already.
    """

    stopped: bool

    _names: ClassVar[Mapping[str, str]] = {"stopped": "stopped"}
