from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.container import Container

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Container:
    from ...models.container import Container

    return Container.from_dict(data)


OPERATION: Operation[Container] = Operation(
    id="get_container",
    method="GET",
    path="containers/{container_id}",
    summary="get container",
    decoders={200: _decode_200},
)


def arguments(container_id: int | str) -> Arguments:
    """Build the request."""
    return Arguments(path={"container_id": container_id})
