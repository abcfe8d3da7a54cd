from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.system_status import SystemStatus

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> SystemStatus:
    from ...models.system_status import SystemStatus

    return SystemStatus.from_dict(data)


OPERATION: Operation[SystemStatus] = Operation(
    id="get_system_status",
    method="GET",
    path="system/status/",
    summary="get system status",
    decoders={200: _decode_200},
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
