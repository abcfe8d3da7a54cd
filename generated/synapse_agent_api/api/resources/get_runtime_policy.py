from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.runtime_policy import RuntimePolicy

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> RuntimePolicy:
    from ...models.runtime_policy import RuntimePolicy

    return RuntimePolicy.from_dict(data)


OPERATION: Operation[RuntimePolicy] = Operation(
    id="get_runtime_policy",
    method="GET",
    path="resources/policy/",
    summary="get runtime policy",
    decoders={200: _decode_200},
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
