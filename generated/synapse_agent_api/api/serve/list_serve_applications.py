from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import decode_models

if TYPE_CHECKING:
    from ...models.serve_application import ServeApplication

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> list[ServeApplication]:
    from ...models.serve_application import ServeApplication

    return decode_models(data, "list of ServeApplication", ServeApplication)


OPERATION: Operation[list[ServeApplication]] = Operation(
    id="list_serve_applications",
    method="GET",
    path="serve_applications/",
    summary="list serve applications",
    decoders={200: _decode_200},
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
