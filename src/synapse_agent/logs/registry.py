"""The logs of one agent that are being read, one follower for each job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..ray.client import JsonObject, RayClient, RayUnreachableError
from .blocks import BlockCache
from .follow import FollowedLog
from .locate import Locator
from .spool import Spool

__all__ = ["Logs"]

# Bytes of logs kept in memory, of all jobs together.
_MEMORY = 32 << 20

# With more followed logs than this, each is looked at and asked about less often.
_FULL_PACE = 25

# Seconds until a request for a job's status counts as not answered.
_STATUS_TIMEOUT = 8.0


class Logs:
    """Opens logs, and shares among their readers what they cost the cluster.

    Args:
        ray: The cluster.
        locator: Finds the files.
        spool: Keeps what was read on disk, if that is wanted.
    """

    def __init__(self, ray: RayClient, locator: Locator, spool: Spool | None) -> None:
        self.ray = ray
        self.locator = locator
        self.spool = spool
        self.blocks = BlockCache(_MEMORY)
        self._followed: dict[str, FollowedLog] = {}
        self._requests: dict[str, asyncio.Task[JsonObject]] = {}

    async def close(self) -> None:
        for log in list(self._followed.values()):
            await log.stop()
        await self.locator.close()
        if self.spool is not None:
            self.spool.close()

    @property
    def slowdown(self) -> float:
        """How many times longer the pauses between two looks at a log are than with few logs."""
        return max(1.0, len(self._followed) / _FULL_PACE)

    async def job(self, job_id: str) -> JsonObject:
        """Return the job as Ray describes it, or as it did within the last second for a reader of its log."""
        log = self._followed.get(job_id)
        if log is not None and log.is_fresh:
            return log.job
        # The shield leaves the request to the others when this caller is cancelled.
        return await asyncio.shield(self.request_job(job_id))

    def request_job(self, job_id: str) -> asyncio.Task[JsonObject]:
        """Return the request for a job that is under way, or start one."""
        task = self._requests.get(job_id)
        if task is None:
            task = self._requests[job_id] = asyncio.ensure_future(self._request(job_id))
            task.add_done_callback(lambda task: self._request_done(job_id, task))
        return task

    async def _request(self, job_id: str) -> JsonObject:
        try:
            async with asyncio.timeout(_STATUS_TIMEOUT):
                return await self.ray.job(job_id)
        except TimeoutError:
            detail = f"Ray at {self.ray.address} did not answer within {_STATUS_TIMEOUT:g} s"
            raise RayUnreachableError(detail, maybe_sent=True) from None

    def _request_done(self, job_id: str, task: asyncio.Task[JsonObject]) -> None:
        del self._requests[job_id]
        if not task.cancelled():
            task.exception()  # asyncio logs it otherwise if no caller waits any more

    @asynccontextmanager
    async def opened(self, job: JsonObject) -> AsyncGenerator[FollowedLog, None]:
        """Open the job's log, which is shared by all who have it open."""
        job_id = str(job["submission_id"])
        log = self._followed.get(job_id)
        if log is None or log.failure is not None or not log.is_of(job):
            log = self._followed[job_id] = FollowedLog(self, job)
        log.users += 1
        try:
            yield log
        finally:
            log.users -= 1
            if not log.users:
                if self._followed.get(job_id) is log:
                    del self._followed[job_id]
                await log.stop()

    def spooled_job(self, job_id: str) -> JsonObject | None:
        """Return a job as it was when its log was last read, if that log is on disk."""
        return self.spool.job(job_id) if self.spool is not None else None
