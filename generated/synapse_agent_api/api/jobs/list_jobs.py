from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import decode_models

if TYPE_CHECKING:
    from ...models.job import Job

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> list[Job]:
    from ...models.job import Job

    return decode_models(data, "list of Job", Job)


OPERATION: Operation[list[Job]] = Operation(
    id="list_jobs", method="GET", path="jobs/", summary="list jobs", decoders={200: _decode_200}
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
