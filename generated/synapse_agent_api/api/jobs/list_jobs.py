from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...client import Arguments, Operation, Pagination
from ...types import decode_models
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.job import Job
    from ...models.job_status import JobStatus

__all__ = ["OPERATION", "PAGINATION", "arguments"]


def _decode_200(data: object) -> list[Job]:
    from ...models.job import Job

    return decode_models(data, "list of Job", Job)


OPERATION: Operation[list[Job]] = Operation(
    id="list_jobs", method="GET", path="jobs/", summary="list jobs", decoders={200: _decode_200}
)


PAGINATION = Pagination(
    size="limit",
    cursor_parameter="cursor",
    cursor_header="Synapse-Next-Cursor",
    filters=("status", "metadata"),
)


def arguments(
    status: JobStatus | str | None = None,
    metadata: Sequence[str] | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Arguments:
    """Build the request."""
    return Arguments(
        query=_present({"status": status, "metadata": metadata, "limit": limit, "cursor": cursor})
    )
