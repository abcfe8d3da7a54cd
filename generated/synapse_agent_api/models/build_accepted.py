from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["BuildAccepted"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class BuildAccepted(Model):
    """A build that has begun, and where to follow it.

    Attributes:
        build_id: The id to ask for the build by.
        status_url: Where its status is.
        ws_url: Where its log is over a WebSocket; null where the agent has none to follow.
        sse_url: Where its log is over HTTP; null where the agent has none to follow.
    """

    build_id: str
    status_url: str
    ws_url: str | None
    sse_url: str | None

    _names: ClassVar[Mapping[str, str]] = {
        "build_id": "build_id",
        "status_url": "status_url",
        "ws_url": "ws_url",
        "sse_url": "sse_url",
    }
