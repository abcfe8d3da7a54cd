from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.gpu_status import GpuStatus

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> GpuStatus:
    from ...models.gpu_status import GpuStatus

    return GpuStatus.from_dict(data)


OPERATION: Operation[GpuStatus] = Operation(
    id="get_gpu_status",
    method="GET",
    path="gpu_status/",
    summary="get gpu status",
    decoders={200: _decode_200},
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
