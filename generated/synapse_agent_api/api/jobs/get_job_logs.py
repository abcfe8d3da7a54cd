from __future__ import annotations

from ...client import Arguments, Operation
from ...types import decode_text
from ...types import present as _present

__all__ = ["OPERATION", "arguments"]


OPERATION: Operation[str] = Operation(
    id="get_job_logs",
    method="GET",
    path="jobs/{job_id}/logs/",
    summary="get job logs",
    decoders={200: decode_text},
    text=True,
)


def arguments(
    job_id: str, tail: int | None = None, offset: int | None = None, limit_bytes: int | None = None
) -> Arguments:
    """Build the request."""
    return Arguments(
        path={"job_id": job_id}, query=_present({"tail": tail, "offset": offset, "limit_bytes": limit_bytes})
    )
