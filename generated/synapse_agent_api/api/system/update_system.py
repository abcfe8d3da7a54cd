from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.system_operation_result import SystemOperationResult

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> SystemOperationResult:
    from ...models.system_operation_result import SystemOperationResult

    return SystemOperationResult.from_dict(data)


OPERATION: Operation[SystemOperationResult] = Operation(
    id="update_system",
    method="POST",
    path="system/update/",
    summary="update system",
    decoders={200: _decode_200},
    waits_for="system",
)


def arguments(*, api_tag: str | None = None, worker_tag: str | None = None) -> Arguments:
    """Build the request."""
    _body = _present({"api_tag": api_tag, "worker_tag": worker_tag})
    return Arguments(body=_body or None)
