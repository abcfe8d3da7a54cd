from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.serve_application import ServeApplication

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> ServeApplication:
    from ...models.serve_application import ServeApplication

    return ServeApplication.from_dict(data)


OPERATION: Operation[ServeApplication] = Operation(
    id="get_serve_application",
    method="GET",
    path="serve_applications/{name}/",
    summary="get serve application",
    decoders={200: _decode_200},
)


def arguments(name: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"name": name})
