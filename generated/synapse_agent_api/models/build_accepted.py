from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["BuildAccepted"]


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

    @classmethod
    def from_dict(cls, data: object, /) -> BuildAccepted:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "BuildAccepted")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("build_id", get("build_id"))
        put("status_url", get("status_url"))
        put("ws_url", get("ws_url"))
        put("sse_url", get("sse_url"))
        return self
