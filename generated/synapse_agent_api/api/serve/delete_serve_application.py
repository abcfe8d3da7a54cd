from __future__ import annotations

from ...client import Arguments, Operation
from ...types import decode_nothing

__all__ = ["OPERATION", "arguments"]


OPERATION: Operation[None] = Operation(
    id="delete_serve_application",
    method="DELETE",
    path="serve_applications/{name}/",
    summary="delete serve application",
    decoders={204: decode_nothing},
)


def arguments(name: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"name": name})
