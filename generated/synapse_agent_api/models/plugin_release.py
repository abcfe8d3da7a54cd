from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read

__all__ = ["PluginRelease"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class PluginRelease(Model):
    """One version of a plugin. Its lookup is `plugin@version`.

    Attributes:
        id: Its id.
        plugin: The plugin's code.
        version: Its version.
        config: The plugin's config.yaml: `code`, `version`, and its `actions` by name.
        checksum: The checksum of its files.
        created: When it was made, in milliseconds since the epoch.
    """

    id: int | str
    plugin: str
    version: str
    config: dict[str, Any]
    checksum: str | None = None
    created: int | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "id": "id",
        "plugin": "plugin",
        "version": "version",
        "config": "config",
        "checksum": "checksum",
        "created": "created",
    }
