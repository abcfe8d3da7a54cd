"""One job's log, followed once for all its readers."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Protocol

from yarl import URL

from ..errors import ApiError
from ..ray.client import TERMINAL, JsonObject, RayUnreachableError
from .arrivals import Arrivals
from .blocks import BlockCache
from .locate import Located, Locator
from .sources import BLOCK, InterruptedReadError, LogLostError, MissingLogError
from .spool import Spool, SpooledLog
from .state_file import StateFile

__all__ = ["FollowedLog"]

_log = logging.getLogger("synapse_agent")

# Seconds without an answer from Ray and without a new byte after which a tail gives up. A client that
# waits for 30 s must still receive the error.
_CLUSTER_PATIENCE = 24.0

# The same where Ray answers and only the log's node does not: Ray takes half a minute to notice.
_NODE_PATIENCE = 60.0

# The same where the node answers and the file is not there any more.
_MISSING_PATIENCE = 3.0

# Seconds between two looks at a log, the first while it grows, the second once it is quiet.
_LOCAL_PACE, _REMOTE_PACE = (0.01, 0.05), (0.05, 0.5)

# Seconds between two requests for the job's status: once the log is quiet, later, and while it grows.
_STATUS_PACE = (0.1, 0.5, 1.0)

# Seconds for which an answer from Ray is used for the tails that begin after it.
_FRESH = 1.0

# Seconds that a look at the log waits for the job's status.
_STATUS_PATIENCE = 0.05


class SharedByLogs(Protocol):
    """The resources that the followed logs of one agent share."""

    locator: Locator
    blocks: BlockCache
    spool: Spool | None

    @property
    def slowdown(self) -> float: ...
    def request_job(self, job_id: str) -> asyncio.Task[JsonObject]: ...


class FollowedLog:
    """Watches a log and its job for as long as a reader has it open.

    Attributes:
        job: The job as Ray last described it.
        end: The number of bytes known to be there.
        final: Whether there will be no more.
        failure: Why it is not followed any more.
        arrivals: When its bytes came; None before the first look.
        users: The number of readers that have it open.
    """

    def __init__(self, logs: SharedByLogs, job: JsonObject) -> None:
        self.job = job
        self.end = 0
        self.final = False
        self.failure: ApiError | None = None
        self.arrivals: Arrivals | None = None
        self.users = 0
        self._logs = logs
        # Ids can be used again after a job was deleted.
        self._key = f"{job['submission_id']} {job.get('start_time')}"
        self._located: Located | None = None
        self._spooled: SpooledLog | None = None
        if logs.spool is not None:
            self._spooled = logs.spool.open(job)
            # A log that was read to its end before needs no cluster.
            self.end, self.final = self._spooled.size, self._spooled.final
        self._finding = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._status_request: asyncio.Task[JsonObject] | None = None
        self._changed = asyncio.Event()
        self._waiting = 0
        self._fetches: dict[int, asyncio.Lock] = {}
        self._clock = asyncio.get_running_loop().time
        self._moved = self._answered = self._seen = self._requested = self._clock()
        self._ray_answers = True
        self._last_error = ""

    @property
    def status(self) -> str:
        return str(self.job["status"])

    @property
    def is_over(self) -> bool:
        """True once the job has ended."""
        return self.status in TERMINAL

    @property
    def is_fresh(self) -> bool:
        """True if Ray described the job within the last second."""
        return self._task is not None and self.failure is None and self._clock() - self._answered < _FRESH

    def is_of(self, job: JsonObject) -> bool:
        """Return whether this is the log of that job, and not of a deleted one that had the same id."""
        return bool(self.job.get("start_time") == job.get("start_time"))

    @property
    def remote(self) -> bool:
        """Whether the log is on another machine, or not found yet."""
        return self._located is None or self._located.remote

    # -- reading

    def follow(self) -> None:
        """Start to watch the log, unless that was done before."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._watch())

    async def changed(self, position: int, timeout: float) -> None:
        """Wait for bytes after `position`, the end or an error, at most `timeout` seconds."""
        looked = self.arrivals is not None
        if (looked and self.end > position) or self.final or self.failure is not None:
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def locate(self) -> bool:
        """Find the file, unless it is known; return whether there is one."""
        async with self._finding:
            if self._located is None:
                self._located = await self._logs.locator.find(self.job)
        return self._located is not None

    async def is_local(self) -> bool:
        """Return whether the log is known to be a file on this machine."""
        if not self._logs.locator.has_local:
            return False
        with suppress(InterruptedReadError, ApiError):
            return await self.locate() and not self.remote
        return False

    async def size(self) -> int:
        """Return how many bytes there are now; 0 while there is no log."""
        if self.final or not await self.locate():
            return self.end
        assert self._located is not None
        try:
            self.end = max(self.end, await self._located.source.size())
        except MissingLogError:
            self._located = None
            # Without a driver there need not be a log.
            if self.end or self.job.get("driver_node_id"):
                raise
        except InterruptedReadError:
            self._located = None
            raise
        return self.end

    async def last_lines(self, count: int) -> bytes | None:
        """Return at least the last lines if their position in the log would cost a copy of it, else None."""
        if self.final or not await self.locate():
            return None
        assert self._located is not None
        source = self._located.source
        with suppress(MissingLogError):
            return await source.last_lines(count) if isinstance(source, StateFile) else None
        return None

    async def read(self, position: int, limit: int = BLOCK) -> bytes:
        """Return some bytes from `position` on, at most `limit`; none where there are none now."""
        if self._spooled is not None and self.final and self._located is None:
            if data := self._spooled.read(position, min(limit, BLOCK)):
                return data
        elif self._located is not None and not self._located.remote:
            data = await self._located.source.read(position, min(limit, BLOCK))
            if self._spooled is not None:
                self._spooled.add(position, data)
            return data
        index, skipped = divmod(position, BLOCK)
        block = self._logs.blocks.get(self._key, index)
        if len(block) <= skipped:
            if self._spooled is not None and (data := self._spooled.read(position, min(limit, BLOCK))):
                return data
            async with self._fetches.setdefault(index, asyncio.Lock()):
                block = self._logs.blocks.get(self._key, index)
                if len(block) <= skipped:
                    block = await self._fetch(index, block)
            self._fetches.pop(index, None)
        return block[skipped : skipped + limit]

    async def _fetch(self, index: int, block: bytes) -> bytes:
        """Read the rest of a block from the source."""
        if not await self.locate():
            return block
        located = self._located
        assert located is not None
        position = index * BLOCK + len(block)
        try:
            data = await located.source.read(position, BLOCK - len(block))
        except InterruptedReadError:
            if self._located is located:
                self._located = None
            raise
        if data:
            block += data
            self._logs.blocks.put(self._key, index, block)
            if self._spooled is not None:
                self._spooled.add(position, data)
        return block

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._logs.blocks.drop(self._key)

    # -- watching

    async def _watch(self) -> None:
        announced: tuple[int, bool] | None = None
        try:
            while not self.final and self.failure is None:
                await self._look()
                known = self.end, self.arrivals is None
                if known != announced:
                    self._wake_readers()
                    announced = known
                if not self.final and self.failure is None:
                    await asyncio.sleep(self._pace())
        except ApiError as error:
            self.failure = error
        except Exception:  # noqa: BLE001  readers would wait for ever
            _log.exception("following a log failed")
            self.failure = ApiError(500, "the agent can't read the log; its own log has the traceback")
        finally:
            self._wake_readers()

    def _wake_readers(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _pace(self) -> float:
        if self._last_error:
            return 0.5
        least, most = _REMOTE_PACE if self.remote else _LOCAL_PACE
        quiet = self._clock() - self._moved
        return min(most, max(least, quiet / 20)) * (self._logs.slowdown if self.remote else 1.0)

    async def _look(self) -> None:
        # Only a look that began after the job's end can show that there is no more.
        over, before = self.is_over, self.end
        try:
            found = await self._look_at_log()
            self._last_error, self._seen = "", self._clock()
        except MissingLogError as error:
            self._located = None
            found = False
            if before or (over and self.job.get("driver_node_id")):
                await self._check_patience(error)
                over = False
            else:
                self._last_error = ""
        except (InterruptedReadError, ApiError) as error:
            if isinstance(error, ApiError) and error.status != 503:
                raise
            self._located = None
            found = over = False
            await self._check_patience(error)
        if self.end > before:
            self._moved = self._clock()
        elif over and (found or not before):
            self._end()
            return
        await self._update_job()

    def _end(self) -> None:
        self.final = True
        if self._spooled is not None:
            self._spooled.finish(self.job, self.end)

    async def _look_at_log(self) -> bool:
        """Find out how long the log is; return whether there is one."""
        if not await self.locate():
            return False
        assert self._located is not None
        if self.arrivals is None:
            size = await self._located.source.size()
            if size < self.end:
                raise LogLostError(size, self.end)
            self.end = size
            self.arrivals = Arrivals(self.end, time.time())
            return True
        edge = self.end
        if self._located.remote and self._waiting:
            # Readers wait for these bytes, so that asking for the size first would cost a request more.
            data = await self.read(edge)
            self.end = max(self.end, edge + len(data))
        else:
            size = await self._located.source.size()
            if size < edge:
                raise LogLostError(size, edge)
            self.end = max(self.end, size)
        self.arrivals.look(self.end, time.time())
        return True

    async def _update_job(self) -> None:
        """Request the job's status when that is due, and take the answer once it is there."""
        if self._status_request is None:
            now = self._clock()
            quiet = now - self._moved
            least, most, moving = _STATUS_PACE
            pace = moving if quiet < least else min(most, max(least, quiet / 20))
            if self.is_over or now - self._requested < pace * self._logs.slowdown:
                return
            self._requested = now
            self._status_request = self._logs.request_job(self.job["submission_id"])
        # A slow answer must not delay the lines.
        await asyncio.wait({self._status_request}, timeout=_STATUS_PATIENCE)
        if not self._status_request.done():
            return
        request, self._status_request = self._status_request, None
        self._ray_answers = False
        try:
            job = request.result()
            if not self.is_of(job):
                raise self._deleted()
            self.job = job
            self._answered, self._ray_answers = self._clock(), True
        except RayUnreachableError as error:
            quiet = self._clock() - max(self._answered, self._moved)
            if quiet > _CLUSTER_PATIENCE:
                raise self.lost(f"{error.detail}, for {quiet:.0f} s") from None
        except ApiError as error:
            if error.status == 404:
                raise self._deleted() from None
            if self._clock() - max(self._answered, self._moved) > _CLUSTER_PATIENCE:
                raise

    def _deleted(self) -> ApiError:
        return ApiError(
            404,
            f"Ray does not know job {self.job['submission_id']} any more: it was deleted, or the"
            f" cluster was started anew; its log was read up to byte {self.end}",
        )

    async def _check_patience(self, error: Exception) -> None:
        """Raise an error if the log can't come back, or has been out of reach for too long."""
        self._last_error = error.detail if isinstance(error, ApiError) else str(error)
        node: JsonObject = {}
        if self.is_over and self.job.get("driver_node_id"):
            with suppress(ApiError):
                node = await self._logs.locator.node(self.job["driver_node_id"])
        if node and node.get("state") != "ALIVE":
            why = node.get("state_message") or "Ray gives no reason"
            raise self.lost(f"the node is dead ({why})")
        patience = _NODE_PATIENCE if self._ray_answers and not self.is_over else _CLUSTER_PATIENCE
        if isinstance(error, MissingLogError):
            patience = _MISSING_PATIENCE
        quiet = self._clock() - max(self._seen, self._moved)
        if quiet > patience:
            raise self.lost(self._last_error)

    def lost(self, why: str) -> ApiError:
        """Return the error that says up to which byte the log was read, and why no further."""
        # The node's id is shortened, since clients mask long hexadecimal numbers as secrets.
        job = self.job
        node = ""
        if job.get("driver_node_id"):
            host = URL(job.get("driver_agent_http_address") or "").host
            node = f", node {job['driver_node_id'][:8]} ({host})"
        said = f"; {job['message']}" if self.is_over and job.get("message") else ""
        return ApiError(
            503,
            f"the log was read up to byte {self.end}, and the rest is lost or out of reach"
            f" (job {self.status}{node}): {why}{said}",
        )
