from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import decode_models

if TYPE_CHECKING:
    from ...models.container import Container

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> list[Container]:
    from ...models.container import Container

    return decode_models(data, "list of Container", Container)


OPERATION: Operation[list[Container]] = Operation(
    id="list_docker_containers",
    method="GET",
    path="containers/docker/",
    summary="list docker containers",
    decoders={200: _decode_200},
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
