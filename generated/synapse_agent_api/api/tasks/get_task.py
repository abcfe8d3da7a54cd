from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation

if TYPE_CHECKING:
    from ...models.task import Task

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> Task:
    from ...models.task import Task

    return Task.from_dict(data)


OPERATION: Operation[Task] = Operation(
    id="get_task", method="GET", path="tasks/{task_id}/", summary="get task", decoders={200: _decode_200}
)


def arguments(task_id: str) -> Arguments:
    """Build the request."""
    return Arguments(path={"task_id": task_id})
