from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.plugin_release import PluginRelease

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> PluginRelease:
    from ...models.plugin_release import PluginRelease

    return PluginRelease.from_dict(data)


OPERATION: Operation[PluginRelease] = Operation(
    id="get_plugin_release",
    method="GET",
    path="plugin_releases/{lookup}",
    summary="get plugin release",
    decoders={200: _decode_200},
)


def arguments(lookup: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"lookup": lookup})
