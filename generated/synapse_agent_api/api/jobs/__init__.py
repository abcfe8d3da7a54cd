"""The methods for jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.job import Job
    from ...models.job_status import JobStatus
    from ...models.job_stop_result import JobStopResult

__all__ = ["AsyncJobsApi", "JobsApi"]


class JobsApi:
    """Ray jobs and their logs.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def list_jobs(
        self,
        status: JobStatus | str | None = None,
        metadata: Sequence[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> list[Job]:
        """List jobs.

        The jobs that the cluster knows, the newest first: those submitted through an agent, and drivers that
        connected directly. Without parameters the answer has all of them. An agent older than the parameters
        ignores them and answers all jobs.

        Raises 400 for a `cursor` that no answer gave, and 422 for another bad parameter.

        Args:
            status: Only jobs with this status.
            metadata: Only jobs with this metadata, as `key=value`, or `key` for any value. A job must have
                all of them.
            limit: How many jobs to return at most. If there are more, the response header
                `Synapse-Next-Cursor` has the next cursor.
            cursor: Where to go on, from the header `Synapse-Next-Cursor` of the answer before.

        Returns:
            The jobs.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> [job.submission_id for job in client.list_jobs(limit=20)]
        """
        from .list_jobs import OPERATION as _operation
        from .list_jobs import arguments as _arguments

        return self._api_client.call(_operation, _arguments(status, metadata, limit, cursor))

    def iter_jobs(
        self,
        *,
        status: JobStatus | str | None = None,
        metadata: Sequence[str] | Mapping[str, str] | None = None,
        page_size: int = 100,
    ) -> Iterator[Job]:
        """Iterate over the jobs, the newest first, one page after the other, each asked for when needed.

        An agent that has no pages answers all jobs at once; the filters hold there as well.

        Args:
            status: Only jobs with this status.
            metadata: Only jobs with this metadata, as `key=value`, or `key` for any value. A job must have
                all of them.
            page_size: How many to ask for at once.

        Returns:
            An iterator. No job comes twice. One that is submitted meanwhile does not come.

        Raises:
            ServerError: 200, a page leads in a circle.
            ClientError: As `list_jobs` does.

        Example:
            >>> [job.submission_id for job in client.iter_jobs(status="FAILED")]
        """
        from ...types import pairs as _pairs
        from .list_jobs import OPERATION as _operation
        from .list_jobs import PAGINATION as _pagination
        from .list_jobs import arguments as _arguments

        _given = _arguments(status=status, metadata=_pairs(metadata), limit=page_size)
        yield from self._api_client.pages(_operation, _given, _pagination)

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
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job("train-42").status
        """
        from .get_job import OPERATION as _operation
        from .get_job import arguments as _arguments

        return self._api_client.call(_operation, _arguments(job_id))

    def delete_job(self, job_id: str) -> None:
        """Delete a job.

        Makes the cluster forget a job that is over. The file of its log stays until Ray removes it.

        Raises 400 for a malformed id or a driver that was not submitted as a job, 404 when no job has the id,
        and 409 while the job is PENDING or RUNNING: stop it first.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.delete_job("train-42")
        """
        from .delete_job import OPERATION as _operation
        from .delete_job import arguments as _arguments

        return self._api_client.call(_operation, _arguments(job_id))

    def get_job_logs(
        self, job_id: str, tail: int | None = None, offset: int | None = None, limit_bytes: int | None = None
    ) -> str:
        """Get a job's logs.

        The log written so far, as one string: the whole of it, or the window that the parameters name. To
        follow a log that still grows, tail it instead.

        With `tail` and `offset` the window begins at the later of both. `limit_bytes` keeps the window's
        first bytes, or its last ones with `tail`. It cuts between characters, so the text may be up to 3
        bytes shorter, unless nothing would be left. The headers `Synapse-Log-Offset` and `Synapse-Log-Next`
        of the response are the positions where the text begins and ends; they are absent if the agent does
        not know them, which can happen with `tail` and without `offset`. An older agent sends no such headers
        and returns the whole log; the Python client cuts the window out of it.

        Raises 400 for a malformed id or parameter, 404 when no job has the id, and 416 for an `offset` beyond
        the end of the log.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.
            tail: Only the last lines of the log, this many. An unfinished line at the end counts as one.
            offset: Leave out this many bytes of the log, from its start.
            limit_bytes: How many bytes of the log to answer at most.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 416, the log has fewer bytes than were to be left out.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job_logs("train-42", tail=10).splitlines()
        """
        from .get_job_logs import OPERATION as _operation
        from .get_job_logs import arguments as _arguments

        return self._api_client.call(_operation, _arguments(job_id, tail, offset, limit_bytes))

    def list_job_logs(
        self, job_id: str, tail: int | None = None, offset: int | None = None, limit_bytes: int | None = None
    ) -> str:
        """Alias of get_job_logs: get a job's logs.

        The log written so far, as one string: the whole of it, or the window that the parameters name. To
        follow a log that still grows, tail it instead.

        With `tail` and `offset` the window begins at the later of both. `limit_bytes` keeps the window's
        first bytes, or its last ones with `tail`. It cuts between characters, so the text may be up to 3
        bytes shorter, unless nothing would be left. The headers `Synapse-Log-Offset` and `Synapse-Log-Next`
        of the response are the positions where the text begins and ends; they are absent if the agent does
        not know them, which can happen with `tail` and without `offset`. An older agent sends no such headers
        and returns the whole log; the Python client cuts the window out of it.

        Raises 400 for a malformed id or parameter, 404 when no job has the id, and 416 for an `offset` beyond
        the end of the log.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.
            tail: Only the last lines of the log, this many. An unfinished line at the end counts as one.
            offset: Leave out this many bytes of the log, from its start.
            limit_bytes: How many bytes of the log to answer at most.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 416, the log has fewer bytes than were to be left out.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.list_job_logs("train-42", tail=10).splitlines()
        """
        return self.get_job_logs(job_id, tail, offset, limit_bytes)

    def stop_job(self, job_id: str) -> JobStopResult:
        """Stop a job.

        Asks the job to stop and returns at once; the job takes some seconds to reach STOPPED. `stopped` is
        false when the job was over already. For a job that has not started yet this waits some seconds for
        its start.

        Raises 400 for a malformed id, 404 when no job has it, and 409 when the job has not started, so that
        it can't be stopped; the error has the reason.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            Whether there was something to stop.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.stop_job("train-42").stopped
        """
        from .stop_job import OPERATION as _operation
        from .stop_job import arguments as _arguments

        return self._api_client.call(_operation, _arguments(job_id))


class AsyncJobsApi:
    """Ray jobs and their logs.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def list_jobs(
        self,
        status: JobStatus | str | None = None,
        metadata: Sequence[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> list[Job]:
        """List jobs.

        The jobs that the cluster knows, the newest first: those submitted through an agent, and drivers that
        connected directly. Without parameters the answer has all of them. An agent older than the parameters
        ignores them and answers all jobs.

        Raises 400 for a `cursor` that no answer gave, and 422 for another bad parameter.

        Args:
            status: Only jobs with this status.
            metadata: Only jobs with this metadata, as `key=value`, or `key` for any value. A job must have
                all of them.
            limit: How many jobs to return at most. If there are more, the response header
                `Synapse-Next-Cursor` has the next cursor.
            cursor: Where to go on, from the header `Synapse-Next-Cursor` of the answer before.

        Returns:
            The jobs.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> [job.submission_id for job in client.list_jobs(limit=20)]
        """
        from .list_jobs import OPERATION as _operation
        from .list_jobs import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(status, metadata, limit, cursor))

    async def iter_jobs(
        self,
        *,
        status: JobStatus | str | None = None,
        metadata: Sequence[str] | Mapping[str, str] | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[Job]:
        """Iterate over the jobs, the newest first, one page after the other, each asked for when needed.

        An agent that has no pages answers all jobs at once; the filters hold there as well.

        Args:
            status: Only jobs with this status.
            metadata: Only jobs with this metadata, as `key=value`, or `key` for any value. A job must have
                all of them.
            page_size: How many to ask for at once.

        Returns:
            An iterator. No job comes twice. One that is submitted meanwhile does not come.

        Raises:
            ServerError: 200, a page leads in a circle.
            ClientError: As `list_jobs` does.

        Example:
            >>> [job.submission_id for job in client.iter_jobs(status="FAILED")]
        """
        from ...types import pairs as _pairs
        from .list_jobs import OPERATION as _operation
        from .list_jobs import PAGINATION as _pagination
        from .list_jobs import arguments as _arguments

        _given = _arguments(status=status, metadata=_pairs(metadata), limit=page_size)
        async for _item in self._api_client.pages(_operation, _given, _pagination):
            yield _item

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
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job("train-42").status
        """
        from .get_job import OPERATION as _operation
        from .get_job import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(job_id))

    async def delete_job(self, job_id: str) -> None:
        """Delete a job.

        Makes the cluster forget a job that is over. The file of its log stays until Ray removes it.

        Raises 400 for a malformed id or a driver that was not submitted as a job, 404 when no job has the id,
        and 409 while the job is PENDING or RUNNING: stop it first.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.delete_job("train-42")
        """
        from .delete_job import OPERATION as _operation
        from .delete_job import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(job_id))

    async def get_job_logs(
        self, job_id: str, tail: int | None = None, offset: int | None = None, limit_bytes: int | None = None
    ) -> str:
        """Get a job's logs.

        The log written so far, as one string: the whole of it, or the window that the parameters name. To
        follow a log that still grows, tail it instead.

        With `tail` and `offset` the window begins at the later of both. `limit_bytes` keeps the window's
        first bytes, or its last ones with `tail`. It cuts between characters, so the text may be up to 3
        bytes shorter, unless nothing would be left. The headers `Synapse-Log-Offset` and `Synapse-Log-Next`
        of the response are the positions where the text begins and ends; they are absent if the agent does
        not know them, which can happen with `tail` and without `offset`. An older agent sends no such headers
        and returns the whole log; the Python client cuts the window out of it.

        Raises 400 for a malformed id or parameter, 404 when no job has the id, and 416 for an `offset` beyond
        the end of the log.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.
            tail: Only the last lines of the log, this many. An unfinished line at the end counts as one.
            offset: Leave out this many bytes of the log, from its start.
            limit_bytes: How many bytes of the log to answer at most.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 416, the log has fewer bytes than were to be left out.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_job_logs("train-42", tail=10).splitlines()
        """
        from .get_job_logs import OPERATION as _operation
        from .get_job_logs import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(job_id, tail, offset, limit_bytes))

    async def list_job_logs(
        self, job_id: str, tail: int | None = None, offset: int | None = None, limit_bytes: int | None = None
    ) -> str:
        """Alias of get_job_logs: get a job's logs.

        The log written so far, as one string: the whole of it, or the window that the parameters name. To
        follow a log that still grows, tail it instead.

        With `tail` and `offset` the window begins at the later of both. `limit_bytes` keeps the window's
        first bytes, or its last ones with `tail`. It cuts between characters, so the text may be up to 3
        bytes shorter, unless nothing would be left. The headers `Synapse-Log-Offset` and `Synapse-Log-Next`
        of the response are the positions where the text begins and ends; they are absent if the agent does
        not know them, which can happen with `tail` and without `offset`. An older agent sends no such headers
        and returns the whole log; the Python client cuts the window out of it.

        Raises 400 for a malformed id or parameter, 404 when no job has the id, and 416 for an `offset` beyond
        the end of the log.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.
            tail: Only the last lines of the log, this many. An unfinished line at the end counts as one.
            offset: Leave out this many bytes of the log, from its start.
            limit_bytes: How many bytes of the log to answer at most.

        Returns:
            The log.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 416, the log has fewer bytes than were to be left out.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.list_job_logs("train-42", tail=10).splitlines()
        """
        return await self.get_job_logs(job_id, tail, offset, limit_bytes)

    async def stop_job(self, job_id: str) -> JobStopResult:
        """Stop a job.

        Asks the job to stop and returns at once; the job takes some seconds to reach STOPPED. `stopped` is
        false when the job was over already. For a job that has not started yet this waits some seconds for
        its start.

        Raises 400 for a malformed id, 404 when no job has it, and 409 when the job has not started, so that
        it can't be stopped; the error has the reason.

        Args:
            job_id: The job's submission id, or Ray's own id where it has no other. 1 to 100 letters, digits,
                `-` and `_`.

        Returns:
            Whether there was something to stop.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.stop_job("train-42").stopped
        """
        from .stop_job import OPERATION as _operation
        from .stop_job import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(job_id))
