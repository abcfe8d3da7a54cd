from __future__ import annotations

from ...client import Arguments, Operation
from ...types import decode_nothing

__all__ = ["OPERATION", "arguments"]


OPERATION: Operation[None] = Operation(
    id="delete_plugin_release",
    method="DELETE",
    path="plugin_releases/{lookup}",
    summary="delete plugin release",
    decoders={204: decode_nothing},
)


def arguments(lookup: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"lookup": lookup})
