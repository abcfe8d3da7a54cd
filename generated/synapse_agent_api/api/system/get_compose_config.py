from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.compose_config import ComposeConfig

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> ComposeConfig:
    from ...models.compose_config import ComposeConfig

    return ComposeConfig.from_dict(data)


OPERATION: Operation[ComposeConfig] = Operation(
    id="get_compose_config",
    method="GET",
    path="system/compose-config/",
    summary="get compose config",
    decoders={200: _decode_200},
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
