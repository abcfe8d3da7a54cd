from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.build import Build

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Build:
    from ...models.build import Build

    return Build.from_dict(data)


OPERATION: Operation[Build] = Operation(
    id="get_build_status",
    method="GET",
    path="builds/{build_id}/",
    summary="get build status",
    decoders={200: _decode_200},
)


def arguments(build_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"build_id": build_id})
