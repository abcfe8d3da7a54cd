from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.job import Job

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Job:
    from ...models.job import Job

    return Job.from_dict(data)


OPERATION: Operation[Job] = Operation(
    id="get_job", method="GET", path="jobs/{job_id}/", summary="get job", decoders={200: _decode_200}
)


def arguments(job_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"job_id": job_id})
