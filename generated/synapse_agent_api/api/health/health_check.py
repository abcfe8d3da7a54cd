from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.health import Health

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Health:
    from ...models.health import Health

    return Health.from_dict(data)


OPERATION: Operation[Health] = Operation(
    id="health_check", method="GET", path="health/", summary="health check", decoders={200: _decode_200}
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
