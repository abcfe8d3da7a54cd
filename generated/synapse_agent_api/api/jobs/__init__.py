"""The methods for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.job import Job
    from ...models.job_stop_result import JobStopResult

__all__ = ["AsyncJobsApi", "JobsApi"]


class JobsApi:
    """Ray jobs and their logs.

    A subclass sets `_transport`.
    """

    _transport: Transport

    def list_jobs(self) -> list[Job]:
        """List jobs.

        Every job the cluster knows: those submitted through an agent, and drivers that connected by
        themselves.

        Returns:
            The jobs.

        Example:
            >>> [job.submission_id for job in client.list_jobs()]
        """
        from .list_jobs import OPERATION as _operation
        from .list_jobs import arguments as _arguments

        return self._transport.call(_operation, _arguments())

    def get_job(self, job_id: str) -> Job:
        """Get a job.

        One job with its status. Times are in milliseconds since the epoch.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            The job.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job("train-42").status
        """
        from .get_job import OPERATION as _operation
        from .get_job import arguments as _arguments

        return self._transport.call(_operation, _arguments(job_id))

    def get_job_logs(self, job_id: str) -> str:
        """Get a job's logs.

        The whole log written so far, as one string. To follow a log that still grows, tail it instead.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job_logs("train-42").splitlines()
        """
        from .get_job_logs import OPERATION as _operation
        from .get_job_logs import arguments as _arguments

        return self._transport.call(_operation, _arguments(job_id))

    def list_job_logs(self, job_id: str) -> str:
        """Alias of get_job_logs: get a job's logs.

        The whole log written so far, as one string. To follow a log that still grows, tail it instead.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.list_job_logs("train-42").splitlines()
        """
        return self.get_job_logs(job_id)

    def stop_job(self, job_id: str) -> JobStopResult:
        """Stop a job.

        Asks the job to stop and returns at once; the job takes some seconds to reach STOPPED. `stopped` is
        false when the job was over already.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            Whether there was something to stop.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.stop_job("train-42").stopped
        """
        from .stop_job import OPERATION as _operation
        from .stop_job import arguments as _arguments

        return self._transport.call(_operation, _arguments(job_id))


class AsyncJobsApi:
    """Ray jobs and their logs.

    A subclass sets `_transport`.
    """

    _transport: AsyncTransport

    async def list_jobs(self) -> list[Job]:
        """List jobs.

        Every job the cluster knows: those submitted through an agent, and drivers that connected by
        themselves.

        Returns:
            The jobs.

        Example:
            >>> [job.submission_id for job in client.list_jobs()]
        """
        from .list_jobs import OPERATION as _operation
        from .list_jobs import arguments as _arguments

        return await self._transport.call(_operation, _arguments())

    async def get_job(self, job_id: str) -> Job:
        """Get a job.

        One job with its status. Times are in milliseconds since the epoch.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            The job.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job("train-42").status
        """
        from .get_job import OPERATION as _operation
        from .get_job import arguments as _arguments

        return await self._transport.call(_operation, _arguments(job_id))

    async def get_job_logs(self, job_id: str) -> str:
        """Get a job's logs.

        The whole log written so far, as one string. To follow a log that still grows, tail it instead.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job_logs("train-42").splitlines()
        """
        from .get_job_logs import OPERATION as _operation
        from .get_job_logs import arguments as _arguments

        return await self._transport.call(_operation, _arguments(job_id))

    async def list_job_logs(self, job_id: str) -> str:
        """Alias of get_job_logs: get a job's logs.

        The whole log written so far, as one string. To follow a log that still grows, tail it instead.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.list_job_logs("train-42").splitlines()
        """
        return await self.get_job_logs(job_id)

    async def stop_job(self, job_id: str) -> JobStopResult:
        """Stop a job.

        Asks the job to stop and returns at once; the job takes some seconds to reach STOPPED. `stopped` is
        false when the job was over already.

        Raises 400 for a malformed id and 404 when no job has it.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            Whether there was something to stop.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, there is no such thing.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.stop_job("train-42").stopped
        """
        from .stop_job import OPERATION as _operation
        from .stop_job import arguments as _arguments

        return await self._transport.call(_operation, _arguments(job_id))
