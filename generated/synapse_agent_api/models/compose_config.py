from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, new

__all__ = ["ComposeConfig"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ComposeConfig(Model):
    """How the agent is deployed by Docker Compose.

    Attributes:
        working_dir: The folder it is deployed from.
        config_files: The Compose files, in the order they are given.
        is_gpu_mode: Whether it is deployed with GPUs.
    """

    working_dir: str
    config_files: list[str]
    is_gpu_mode: bool

    _names: ClassVar[Mapping[str, str]] = {
        "working_dir": "working_dir",
        "config_files": "config_files",
        "is_gpu_mode": "is_gpu_mode",
    }

    @classmethod
    def from_dict(cls, data: object, /) -> ComposeConfig:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ComposeConfig")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("working_dir", get("working_dir"))
        put("config_files", get("config_files"))
        put("is_gpu_mode", get("is_gpu_mode"))
        return self
