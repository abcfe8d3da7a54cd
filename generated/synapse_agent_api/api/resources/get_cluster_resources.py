from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.cluster_snapshot import ClusterSnapshot

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> ClusterSnapshot:
    from ...models.cluster_snapshot import ClusterSnapshot

    return ClusterSnapshot.from_dict(data)


OPERATION: Operation[ClusterSnapshot] = Operation(
    id="get_cluster_resources",
    method="GET",
    path="resources/cluster/",
    summary="get cluster resources",
    decoders={200: _decode_200},
)


def arguments(use_cache: bool = True) -> Arguments:
    """Build the request."""
    return Arguments(query=_present({"use_cache": use_cache}))
