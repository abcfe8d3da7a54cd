from __future__ import annotations

from ...client import Arguments, Operation
from ...types import decode_nothing

__all__ = ["OPERATION", "arguments"]


OPERATION: Operation[None] = Operation(
    id="delete_docker_container",
    method="DELETE",
    path="containers/docker/{container_id}",
    summary="delete docker container",
    decoders={204: decode_nothing},
)


def arguments(container_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"container_id": container_id})
