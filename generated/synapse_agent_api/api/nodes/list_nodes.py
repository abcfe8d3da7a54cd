from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import decode_models

if TYPE_CHECKING:
    from ...models.node import Node

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> list[Node]:
    from ...models.node import Node

    return decode_models(data, "list of Node", Node)


OPERATION: Operation[list[Node]] = Operation(
    id="list_nodes", method="GET", path="nodes/", summary="list nodes", decoders={200: _decode_200}
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
