from __future__ import annotations

from ...client import Arguments, Operation
from ...types import decode_nothing

__all__ = ["OPERATION", "arguments"]


OPERATION: Operation[None] = Operation(
    id="delete_job",
    method="DELETE",
    path="jobs/{job_id}/",
    summary="delete job",
    decoders={204: decode_nothing},
)


def arguments(job_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"job_id": job_id})
