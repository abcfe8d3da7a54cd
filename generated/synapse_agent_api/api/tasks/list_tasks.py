from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation
from ...types import decode_models

if TYPE_CHECKING:
    from ...models.task import Task

__all__ = ["OPERATION", "arguments"]


def _decode_200(data: object) -> list[Task]:
    from ...models.task import Task

    return decode_models(data, "list of Task", Task)


OPERATION: Operation[list[Task]] = Operation(
    id="list_tasks", method="GET", path="tasks/", summary="list tasks", decoders={200: _decode_200}
)


def arguments() -> Arguments:
    """Build the request."""
    return Arguments()
