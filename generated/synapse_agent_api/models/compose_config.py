from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["ComposeConfig"]


@decode_when_read
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
