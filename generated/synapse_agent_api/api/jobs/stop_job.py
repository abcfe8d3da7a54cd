from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.job_stop_result import JobStopResult

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> JobStopResult:
    from ...models.job_stop_result import JobStopResult

    return JobStopResult.from_dict(data)


OPERATION: Operation[JobStopResult] = Operation(
    id="stop_job", method="POST", path="jobs/{job_id}/stop/", summary="stop job", decoders={200: _decode_200}
)


def arguments(job_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"job_id": job_id})
