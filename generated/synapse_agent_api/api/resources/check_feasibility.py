from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.feasibility import Feasibility
    from ...models.workload_kind import WorkloadKind

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Feasibility:
    from ...models.feasibility import Feasibility

    return Feasibility.from_dict(data)


OPERATION: Operation[Feasibility] = Operation(
    id="check_feasibility",
    method="POST",
    path="resources/feasibility/",
    summary="check feasibility",
    decoders={200: _decode_200},
)


def arguments(
    kind: WorkloadKind | str,
    *,
    num_cpus: float | None = 1.0,
    num_gpus: float | None = 0.0,
    memory_bytes: int | None = None,
    replicas: int | None = 1,
    metadata: Mapping[str, Any] | None = None,
) -> Arguments:
    """Build the request."""
    _body = _present(
        {
            "kind": kind,
            "num_cpus": num_cpus,
            "num_gpus": num_gpus,
            "memory_bytes": memory_bytes,
            "replicas": replicas,
            "metadata": metadata,
        }
    )
    return Arguments(body=_body)
