from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.node import Node

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Node:
    from ...models.node import Node

    return Node.from_dict(data)


OPERATION: Operation[Node] = Operation(
    id="get_node", method="GET", path="nodes/{node_id}/", summary="get node", decoders={200: _decode_200}
)


def arguments(node_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"node_id": node_id})
