"""The methods for tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.task import Task
    from ...models.task_state import TaskState

__all__ = ["AsyncTasksApi", "TasksApi"]


class TasksApi:
    """Ray tasks.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def list_tasks(
        self, job_id: str | None = None, state: TaskState | str | None = None, limit: int | None = None
    ) -> list[Task]:
        """List tasks.

        The Ray tasks that the cluster remembers; 10 000 at most. An agent older than the parameters ignores
        them.

        Raises 422 for a bad parameter.

        Args:
            job_id: Only tasks of this job: its submission id, or Ray's own id of it, which is what a task's
                `job_id` is.
            state: Only tasks in this state.
            limit: How many tasks to answer at most.

        Returns:
            The tasks.

        Raises:
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> [task.name for task in client.list_tasks(state="FAILED")]
        """
        from .list_tasks import OPERATION as _operation
        from .list_tasks import arguments as _arguments

        return self._api_client.call(_operation, _arguments(job_id, state, limit))

    def get_task(self, task_id: str) -> Task:
        """Get a task.

        One Ray task. Times are in milliseconds since the epoch.

        Raises 400 for a malformed id and 404 when no task has it.

        Args:
            task_id: The task's id in Ray, hexadecimal.

        Returns:
            The task.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_task(task_id).state
        """
        from .get_task import OPERATION as _operation
        from .get_task import arguments as _arguments

        return self._api_client.call(_operation, _arguments(task_id))


class AsyncTasksApi:
    """Ray tasks.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def list_tasks(
        self, job_id: str | None = None, state: TaskState | str | None = None, limit: int | None = None
    ) -> list[Task]:
        """List tasks.

        The Ray tasks that the cluster remembers; 10 000 at most. An agent older than the parameters ignores
        them.

        Raises 422 for a bad parameter.

        Args:
            job_id: Only tasks of this job: its submission id, or Ray's own id of it, which is what a task's
                `job_id` is.
            state: Only tasks in this state.
            limit: How many tasks to answer at most.

        Returns:
            The tasks.

        Raises:
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> [task.name for task in client.list_tasks(state="FAILED")]
        """
        from .list_tasks import OPERATION as _operation
        from .list_tasks import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(job_id, state, limit))

    async def get_task(self, task_id: str) -> Task:
        """Get a task.

        One Ray task. Times are in milliseconds since the epoch.

        Raises 400 for a malformed id and 404 when no task has it.

        Args:
            task_id: The task's id in Ray, hexadecimal.

        Returns:
            The task.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_task(task_id).state
        """
        from .get_task import OPERATION as _operation
        from .get_task import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(task_id))
