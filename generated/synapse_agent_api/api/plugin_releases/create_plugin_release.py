from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.plugin_release import PluginRelease

__all__ = ["OPERATION", "arguments"]


def _decode_201(data: object) -> PluginRelease:
    from ...models.plugin_release import PluginRelease

    return PluginRelease.from_dict(data)


OPERATION: Operation[PluginRelease] = Operation(
    id="create_plugin_release",
    method="POST",
    path="plugin_releases/",
    summary="create plugin release",
    decoders={201: _decode_201},
)


def arguments(plugin: str, version: str) -> Arguments:
    """Build the request."""
    _body = _present({"plugin": plugin, "version": version})
    return Arguments(body=_body)
