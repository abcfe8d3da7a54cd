from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.container import Container

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Container:
    from ...models.container import Container

    return Container.from_dict(data)


OPERATION: Operation[Container] = Operation(
    id="update_container",
    method="PATCH",
    path="containers/{container_id}",
    summary="update container",
    decoders={200: _decode_200},
)


def arguments(container_id: int | str, status: str) -> Arguments:
    """Build the request."""
    _body = _present({"status": status})
    return Arguments(path={"container_id": container_id}, body=_body)
