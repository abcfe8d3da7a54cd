"""Following the log of one job, from a byte offset to the job's end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import aiohttp

from synapse_agent._errors import ApiError
from synapse_agent._gateway import Gateway
from synapse_agent._ray import TERMINAL, JsonObject, RayUnreachableError

__all__ = ["Tail", "open_tail", "read_now"]

BLOCK = 256 * 1024

# Ray may be away this long, in seconds, before a tail gives up.
_PATIENCE = 10.0


class Tail(Protocol):
    """A reader of new log bytes."""

    @property
    def status(self) -> str:
        """The job's status as last seen; the final one once `next` gave None."""
        ...

    async def next(self) -> bytes | None:
        """The next bytes; empty after a short wait without any; None when the log is whole."""
        ...

    async def close(self) -> None: ...


class _JobWatch:
    """Asks for the job's status now and then: often while the log moves, seldom once it rests."""

    def __init__(self, gateway: Gateway, job: JsonObject) -> None:
        self._gateway = gateway
        self._id: str = job["submission_id"]
        self._clock = asyncio.get_running_loop().time
        self.job = job
        self._quiet_since = self._last_answer = self._next = self._clock()

    @property
    def status(self) -> str:
        return str(self.job["status"])

    @property
    def over(self) -> bool:
        return self.status in TERMINAL

    @property
    def quiet(self) -> float:
        return self._clock() - self._quiet_since

    def moved(self) -> None:
        self._quiet_since = self._clock()

    async def refresh(self) -> None:
        """Ask if it is time to. A Ray that is away for a moment is no reason to fail."""
        now = self._clock()
        if self.over or now < self._next:
            return
        try:
            self.job = await self._gateway.ray.job(self._id)
            self._last_answer = self._clock()
        except RayUnreachableError:
            if self._clock() - self._last_answer > _PATIENCE:
                raise
        self._next = self._clock() + min(0.5, max(0.1, self.quiet / 20))


async def open_tail(gateway: Gateway, job: JsonObject, offset: int) -> Tail:
    """A tail that starts at `offset` log bytes; 416 if the log is known to be shorter."""
    if gateway.log_dir is not None:
        path = _log_path(gateway.log_dir, job)
        # A cluster of ours can have been joined by other machines, which keep their own logs.
        if job["status"] not in TERMINAL or await asyncio.to_thread(path.exists):
            return _FileTail(_JobWatch(gateway, job), path, offset)
    return _RemoteTail(gateway, _JobWatch(gateway, job), offset)


async def read_now(gateway: Gateway, job: JsonObject) -> AsyncGenerator[bytes, None]:
    """The log as it is now, in blocks; none if there is no log yet."""
    if gateway.log_dir is not None:
        try:
            file = os.open(_log_path(gateway.log_dir, job), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        else:
            try:
                # Up to here and no further: a busy job may write faster than a client reads.
                left, position = os.fstat(file).st_size, 0
                while left > 0 and (data := os.pread(file, min(left, BLOCK), position)):
                    yield data
                    left, position = left - len(data), position + len(data)
            finally:
                os.close(file)
            return
    if node := job.get("driver_node_id"):
        async with gateway.ray.log(job["submission_id"], node, follow=False) as content:
            while content is not None and (data := await content.readany()):
                yield data


def _log_path(directory: Path, job: JsonObject) -> Path:
    return directory / f"job-driver-{job['submission_id']}.log"


def _too_far(offset: int) -> ApiError:
    return ApiError(416, f"the log has fewer than {offset} bytes")


class _FileTail:
    def __init__(self, watch: _JobWatch, path: Path, offset: int) -> None:
        self._watch = watch
        self._path = path
        self._position = offset
        self._file: int | None = None
        self._last_read_after_end = False
        if not self._open() and offset:
            raise _too_far(offset)

    @property
    def status(self) -> str:
        return self._watch.status

    def _open(self) -> bool:
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        if os.fstat(self._file).st_size < self._position:
            os.close(self._file)
            self._file = None
            raise _too_far(self._position)
        return True

    async def next(self) -> bytes | None:
        if self._file is not None or self._open():
            assert self._file is not None
            data = os.pread(self._file, BLOCK, self._position)
            if data:
                self._position += len(data)
                self._watch.moved()
                return data
        if self._last_read_after_end:
            return None
        await self._watch.refresh()
        if self._watch.over:
            # What was written between the read above and the end is still to be read.
            self._last_read_after_end = True
        else:
            await asyncio.sleep(min(0.05, max(0.01, self._watch.quiet / 20)))
        return b""

    async def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class _RemoteTail:
    """Ray's endless stream while the job runs, then the finished file from where it stopped."""

    def __init__(self, gateway: Gateway, watch: _JobWatch, offset: int) -> None:
        self._ray = gateway.ray
        self._watch = watch
        self._offset = offset
        self._position = offset
        self._skip = 0
        self._content: aiohttp.StreamReader | None = None
        self._stack = AsyncExitStack()
        self._finishing = False

    @property
    def status(self) -> str:
        return self._watch.status

    async def _open(self) -> bool:
        node = self._watch.job.get("driver_node_id")
        if not node:
            return False
        await self._stack.aclose()
        log = self._ray.log(self._watch.job["submission_id"], node, follow=not self._finishing)
        self._content = await self._stack.enter_async_context(log)
        # Either kind begins with the log's first byte.
        self._skip = self._position
        return self._content is not None

    async def next(self) -> bytes | None:
        if self._watch.over and not self._finishing:
            self._finishing = True
            self._content = None
            if not await self._open():
                if self._position:
                    raise _too_far(self._position)
                return None
        if self._content is None and not await self._open():
            await self._watch.refresh()
            await asyncio.sleep(0.1)
            return b""
        try:
            data = await self._read()
        except TimeoutError:
            data = b""
            await self._watch.refresh()
            if self._skip and self._watch.quiet > 5:
                raise _too_far(self._offset) from None
        else:
            if not data:
                return await self._ended()
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if data:
            self._position += len(data)
            self._watch.moved()
        return data

    async def _read(self) -> bytes:
        assert self._content is not None
        try:
            # The finished file comes without a pause, however long its first byte takes.
            async with asyncio.timeout(None if self._finishing else 0.1):
                return await self._content.readany()
        except aiohttp.ClientError:
            raise ApiError(503, "the connection to Ray broke while it sent the log") from None

    async def _ended(self) -> bytes | None:
        if not self._finishing:
            raise ApiError(503, "Ray ended the log stream of a running job")
        if self._skip:
            raise _too_far(self._offset)
        return None

    async def close(self) -> None:
        await self._stack.aclose()
