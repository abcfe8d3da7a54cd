from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, as_model, bind_setattr, decode_object, members, new
from .build_status import BuildStatus
from .container import Container

__all__ = ["Build"]

_build_status = members(BuildStatus)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Build(Model):
    """The build of a container.

    Attributes:
        status: Where it stands.
        result: The container, once the build is completed.
        error: Why it failed.
    """

    status: BuildStatus
    result: Container | None = None
    error: str | None = None

    _names: ClassVar[Mapping[str, str]] = {"status": "status", "result": "result", "error": "error"}

    @classmethod
    def from_dict(cls, data: object, /) -> Build:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "Build")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        value = get("status")
        put("status", (_build_status(value) or BuildStatus(value)) if type(value) is str else value)
        value = get("result")
        put("result", as_model(value, Container))
        put("error", get("error"))
        return self
