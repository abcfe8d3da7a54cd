from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.system_operation_result import SystemOperationResult

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> SystemOperationResult:
    from ...models.system_operation_result import SystemOperationResult

    return SystemOperationResult.from_dict(data)


OPERATION: Operation[SystemOperationResult] = Operation(
    id="restart_system",
    method="POST",
    path="system/restart/",
    summary="restart system",
    decoders={200: _decode_200},
    waits_for="system",
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
