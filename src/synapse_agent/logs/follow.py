"""One job's log, followed once for everybody who tails it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from yarl import URL

from ..errors import ApiError
from ..ray.client import TERMINAL, JsonObject, RayClient, RayUnreachableError
from .arrivals import Arrivals
from .locate import Located, Locator
from .sources import BLOCK, InterruptedReadError, LogLostError, MissingLogError
from .spool import Spool, SpooledLog

__all__ = ["FollowedLog", "Logs"]

_log = logging.getLogger("synapse_agent")

# Seconds without an answer of Ray's and without a new byte after which a tail gives up. A client that
# waits for 30 s must hear of it.
_CLUSTER_PATIENCE = 24.0

# The same where Ray answers and only the log's node does not: Ray itself takes half a minute to find out.
_NODE_PATIENCE = 60.0

# The same where the node answers, and the file is not there any more.
_MISSING_PATIENCE = 3.0

# Bytes of logs kept in memory, of all jobs together.
_MEMORY = 32 << 20

# How often a log is looked at, in seconds: at once and later, here and on another node.
_LOCAL_PACE, _REMOTE_PACE = (0.01, 0.05), (0.05, 0.5)

# How often the job's status is asked for: once the log is quiet, later, and while it moves.
_STATUS_PACE = (0.1, 0.5, 1.0)

# Seconds for which an answer of Ray's serves the tails that begin after it.
_FRESH = 1.0

# Seconds until a question for the status counts as not answered, and those that the log waits for it.
_ASK_TIMEOUT, _ASK_PATIENCE = 8.0, 0.05

# With more followed logs than this each is looked at, and asked about, the less often.
_FULL_PACE = 25


class Logs:
    """The logs of one agent: finds them, follows them, keeps what was read of them."""

    def __init__(self, ray: RayClient, locator: Locator, spool: Spool | None) -> None:
        self.ray = ray
        self.locator = locator
        self.spool = spool
        self._followed: dict[str, FollowedLog] = {}
        self._requests: dict[str, asyncio.Task[JsonObject]] = {}
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._held = 0

    async def close(self) -> None:
        for log in list(self._followed.values()):
            await log.stop()
        await self.locator.close()
        if self.spool is not None:
            self.spool.close()

    @property
    def crowd(self) -> float:
        """How much more slowly each log is looked at than if there were few."""
        return max(1.0, len(self._followed) / _FULL_PACE)

    async def job(self, job_id: str) -> JsonObject:
        """Return the job as Ray describes it, or did for those who follow its log, at most a second ago."""
        log = self._followed.get(job_id)
        if log is not None and log.fresh:
            return log.job
        # One that is cancelled leaves the request to the others.
        return await asyncio.shield(self.ask(job_id))

    def ask(self, job_id: str) -> asyncio.Task[JsonObject]:
        """Return the request for a job that is under way, or begin one."""
        task = self._requests.get(job_id)
        if task is None:
            task = self._requests[job_id] = asyncio.ensure_future(self._request(job_id))
            task.add_done_callback(lambda task: self._request_done(job_id, task))
        return task

    async def _request(self, job_id: str) -> JsonObject:
        try:
            async with asyncio.timeout(_ASK_TIMEOUT):
                return await self.ray.job(job_id)
        except TimeoutError:
            why = f"Ray at {self.ray.address} did not answer within {_ASK_TIMEOUT:g} s"
            raise RayUnreachableError(why, maybe_sent=True) from None

    def _request_done(self, job_id: str, task: asyncio.Task[JsonObject]) -> None:
        del self._requests[job_id]
        if not task.cancelled():
            task.exception()  # or asyncio logs it where nobody waits any more

    @asynccontextmanager
    async def opened(self, job: JsonObject) -> AsyncGenerator[FollowedLog, None]:
        """The job's log, shared by all who have it open."""
        key = str(job["submission_id"])
        log = self._followed.get(key)
        if log is None or log.failure is not None or log.job.get("start_time") != job.get("start_time"):
            log = self._followed[key] = FollowedLog(self, job)
        log.users += 1
        try:
            yield log
        finally:
            log.users -= 1
            if not log.users:
                if self._followed.get(key) is log:
                    del self._followed[key]
                await log.stop()

    def kept(self, job_id: str) -> JsonObject | None:
        """Return a job of whose log something is on disk, as it was when that was read."""
        return self.spool.job(job_id) if self.spool is not None else None

    # -- blocks in memory

    def block(self, key: str, index: int) -> bytes:
        """Return what is in memory of a block, the latest used last to be dropped."""
        found = self._blocks.get((key, index))
        if found is None:
            return b""
        self._blocks.move_to_end((key, index))
        return found

    def keep(self, key: str, index: int, data: bytes) -> None:
        self._held += len(data) - len(self._blocks.pop((key, index), b""))
        self._blocks[key, index] = data
        while self._held > _MEMORY and len(self._blocks) > 1:
            self._held -= len(self._blocks.popitem(last=False)[1])

    def drop(self, key: str) -> None:
        for other in [other for other in self._blocks if other[0] == key]:
            self._held -= len(self._blocks.pop(other))


class FollowedLog:
    """Watches a log and its job for as long as anybody has it open.

    Attributes:
        job: The job as Ray last described it.
        end: How many bytes there are, as far as is known.
        final: Whether that is all there will ever be.
        failure: Why it is not followed any more.
        arrivals: When its bytes came; None before the first look.
        users: Those who have it open.
    """

    def __init__(self, logs: Logs, job: JsonObject) -> None:
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
            # Read to its end before, nobody has to be asked any more.
            self.end, self.final = self._spooled.size, self._spooled.final
        self._finding = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[JsonObject] | None = None
        self._changed = asyncio.Event()
        self._waiting = 0
        self._fetches: dict[int, asyncio.Lock] = {}
        self._clock = asyncio.get_running_loop().time
        self._moved = self._answered = self._seen = self._asked = self._clock()
        self._ray_answers = True
        self._why = ""

    @property
    def status(self) -> str:
        return str(self.job["status"])

    @property
    def over(self) -> bool:
        return self.status in TERMINAL

    @property
    def fresh(self) -> bool:
        """Whether `job` is what Ray said within the last second."""
        return self._task is not None and self.failure is None and self._clock() - self._answered < _FRESH

    @property
    def remote(self) -> bool:
        """Whether the log lies somewhere else, or it is not known yet where."""
        return self._located is None or self._located.remote

    # -- for those who read

    def follow(self) -> None:
        """Watch the log from now on, if nobody asked for that before."""
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
        """Find the file, unless that is done; whether there is one."""
        async with self._finding:
            if self._located is None:
                self._located = await self._logs.locator.find(self.job)
        return self._located is not None

    async def is_local(self) -> bool:
        """Whether the log is known to be a file on this machine."""
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
            # Without a driver there need not be a log.
            if self.end or self.job.get("driver_node_id"):
                raise
        except InterruptedReadError:
            self._located = None
            raise
        return self.end

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
        block = self._logs.block(self._key, index)
        if len(block) <= skipped:
            if self._spooled is not None and (data := self._spooled.read(position, min(limit, BLOCK))):
                return data
            async with self._fetches.setdefault(index, asyncio.Lock()):
                block = self._logs.block(self._key, index)
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
            self._logs.keep(self._key, index, block)
            if self._spooled is not None:
                self._spooled.add(position, data)
        return block

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._logs.drop(self._key)

    # -- the one who watches

    async def _watch(self) -> None:
        told: tuple[int, bool] | None = None
        try:
            while not self.final and self.failure is None:
                await self._look()
                known = self.end, self.arrivals is None
                if known != told:
                    self._tell()
                    told = known
                if not self.final and self.failure is None:
                    await asyncio.sleep(self._pace())
        except ApiError as error:
            self.failure = error
        except Exception:  # noqa: BLE001  every reader must get it
            _log.exception("following a log failed")
            self.failure = ApiError(500, "the agent can't read the log; its own log says more")
        finally:
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _pace(self) -> float:
        if self._why:
            return 0.5
        least, most = _REMOTE_PACE if self.remote else _LOCAL_PACE
        quiet = self._clock() - self._moved
        return min(most, max(least, quiet / 20)) * (self._logs.crowd if self.remote else 1.0)

    async def _look(self) -> None:
        # The order matters: only a look that began after the end can say that there is no more.
        over, before = self.over, self.end
        try:
            found = await self._look_at_log()
            self._why, self._seen = "", self._clock()
        except MissingLogError as error:
            found = False
            if before or (over and self.job.get("driver_node_id")):
                await self._trouble(error)
                over = False
            else:
                self._why = ""
        except (InterruptedReadError, ApiError) as error:
            if isinstance(error, ApiError) and error.status != 503:
                raise
            self._located = None
            found = over = False
            await self._trouble(error)
        if self.end > before:
            self._moved = self._clock()
        elif over and (found or not before):
            self._end()
            return
        await self._ask()

    def _end(self) -> None:
        self.final = True
        if self._spooled is not None:
            self._spooled.finish(self.job, self.end)

    async def _look_at_log(self) -> bool:
        """Find out how far the log got; whether there is one."""
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
            # Those who wait want these bytes, so that the size alone would be a request too many.
            data = await self.read(edge)
            self.end = max(self.end, edge + len(data))
        else:
            size = await self._located.source.size()
            if size < edge:
                raise LogLostError(size, edge)
            self.end = max(self.end, size)
        self.arrivals.look(self.end, time.time())
        return True

    async def _ask(self) -> None:
        """Ask for the job's status if it is time to, and take the answer once it is there."""
        if self._asking is None:
            now = self._clock()
            quiet = now - self._moved
            least, most, moving = _STATUS_PACE
            pace = moving if quiet < least else min(most, max(least, quiet / 20))
            if self.over or now - self._asked < pace * self._logs.crowd:
                return
            self._asked = now
            self._asking = self._logs.ask(self.job["submission_id"])
        # Lines come in while Ray takes its time.
        await asyncio.wait({self._asking}, timeout=_ASK_PATIENCE)
        if not self._asking.done():
            return
        asking, self._asking = self._asking, None
        self._ray_answers = False
        try:
            self.job = asking.result()
            self._answered, self._ray_answers = self._clock(), True
        except RayUnreachableError as error:
            quiet = self._clock() - max(self._answered, self._moved)
            if quiet > _CLUSTER_PATIENCE:
                raise self.lost(f"{error.detail}, for {quiet:.0f} s") from None
        except ApiError as error:
            if error.status == 404:
                raise ApiError(
                    404,
                    f"Ray does not know job {self.job['submission_id']} any more: it was deleted, or the"
                    f" cluster was started anew; its log was read up to byte {self.end}",
                ) from None
            if self._clock() - max(self._answered, self._moved) > _CLUSTER_PATIENCE:
                raise

    async def _trouble(self, error: Exception) -> None:
        """Give up if the log can't come back, or has been away for too long."""
        self._why = error.detail if isinstance(error, ApiError) else str(error)
        node: JsonObject = {}
        if self.over and self.job.get("driver_node_id"):
            with suppress(ApiError):
                node = await self._logs.locator.node(self.job["driver_node_id"])
        if node and node.get("state") != "ALIVE":
            why = node.get("state_message") or "Ray gives no reason"
            raise self.lost(f"the node is dead ({why})")
        patience = _NODE_PATIENCE if self._ray_answers and not self.over else _CLUSTER_PATIENCE
        if isinstance(error, MissingLogError):
            patience = _MISSING_PATIENCE
        quiet = self._clock() - max(self._seen, self._moved)
        if quiet > patience:
            raise self.lost(self._why)

    def lost(self, why: str) -> ApiError:
        """Return the error that says where the log ends for its readers, and why."""
        # Short, since clients cut long texts and take long hexadecimal numbers for secrets.
        job = self.job
        node = ""
        if job.get("driver_node_id"):
            host = URL(job.get("driver_agent_http_address") or "").host
            node = f", node {job['driver_node_id'][:8]} ({host})"
        said = f"; {job['message']}" if self.over and job.get("message") else ""
        return ApiError(
            503,
            f"the log was read up to byte {self.end}, and the rest is lost or out of reach"
            f" (job {self.status}{node}): {why}{said}",
        )
