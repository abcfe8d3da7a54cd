from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import decode_models
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.task import Task
    from ...models.task_state import TaskState

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> list[Task]:
    from ...models.task import Task

    return decode_models(data, "list of Task", Task)


OPERATION: Operation[list[Task]] = Operation(
    id="list_tasks", method="GET", path="tasks/", summary="list tasks", decoders={200: _decode_200}
)


def arguments(
    job_id: str | None = None, state: TaskState | str | None = None, limit: int | None = None
) -> Arguments:
    """Build the request."""
    return Arguments(query=_present({"job_id": job_id, "state": state, "limit": limit}))
