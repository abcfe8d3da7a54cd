from __future__ import annotations

from ...client import Arguments, Operation
from ...types import decode_nothing

__all__ = ["OPERATION", "arguments"]


OPERATION: Operation[None] = Operation(
    id="delete_container",
    method="DELETE",
    path="containers/{container_id}",
    summary="delete container",
    decoders={204: decode_nothing},
)


def arguments(container_id: int | str) -> Arguments:
    """Build the request."""
    return Arguments(path={"container_id": container_id})
