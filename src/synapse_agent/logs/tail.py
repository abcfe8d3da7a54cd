"""One reader of a log that is followed: a position in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar, cast

from ..errors import ApiError
from .follow import FollowedLog
from .sources import BLOCK, InterruptedReadError, LogLostError
from .windows import Window, too_far

__all__ = ["Tail"]

T = TypeVar("T")

# Seconds that a call takes at most, so that the caller can send heartbeats.
_PATIENCE = 1.0

# Seconds of failing reads after which a tail gives up although the log can be looked at.
_FAILING = 24.0


class Tail:
    """Reads a followed log from where a window begins to the log's end.

    Args:
        log: The log; the caller keeps it open until the tail is closed.
        window: The part that was asked for.
    """

    def __init__(self, log: FollowedLog, window: Window) -> None:
        self._log = log
        self._window = window
        self._position = window.offset
        self._work: asyncio.Task[Any] | None = None
        self._failing_since: float | None = None
        log.follow()

    @property
    def status(self) -> str:
        """The job's status as last seen; the final one once `next` returned None."""
        return self._log.status

    def arrived(self, offset: int) -> float | None:
        """Return when the byte before `offset` came, if the log was watched then."""
        return self._log.arrivals.of(offset) if self._log.arrivals is not None else None

    async def begin(self) -> int | None:
        """Return the offset at which the stream begins; None if that is not known yet."""
        log = self._log
        if not self._window.from_end:
            return self._position
        if log.arrivals is None and not log.final:
            if log.failure is not None:
                raise log.failure
            await log.changed(0, _PATIENCE)
            return None
        start = await self._try(self._window.start(log.read, log.end))
        if start is not None:
            self._position = start
        return start

    async def next(self) -> bytes | None:
        """Return the next bytes, b"" if none came within a second, None at the end of a whole log."""
        log = self._log
        if self._position < log.end:
            limit = min(BLOCK, log.end - self._position)
            data = await self._read(limit)
            if data is None:
                return b""
            if not data:
                raise LogLostError(self._position, log.end)
            self._position += len(data)
            return data
        if log.failure is not None:
            raise log.failure
        if self._position > log.end and (log.final or log.arrivals is not None):
            raise too_far(self._position)
        if log.final:
            return None
        await log.changed(self._position, _PATIENCE)
        return b""

    async def close(self) -> None:
        """Cancel a read that may be under way."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _read(self, limit: int) -> bytes | None:
        # A read that is under way has to end before another one begins, wherever the log is by then.
        if self._log.remote or self._work is not None:
            return await self._try(self._log.read(self._position, limit))
        try:
            data = await self._log.read(self._position, limit)
        except InterruptedReadError as error:
            await self._failed(str(error))
            return None
        self._failing_since = None
        return data

    async def _try(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return the result of `work`; None if it takes longer than a second, or fails for now."""
        if self._work is None:
            self._work = asyncio.ensure_future(work)
        else:
            work.close()  # the same read is under way
        done, _ = await asyncio.wait({self._work}, timeout=_PATIENCE)
        if not done:
            return None
        task, self._work = self._work, None
        try:
            value = await cast("Awaitable[T]", task)
        except InterruptedReadError as error:
            await self._failed(str(error))
            return None
        except ApiError as error:
            if error.status != 503:
                raise
            await self._failed(error.detail)
            return None
        self._failing_since = None
        return value

    async def _failed(self, why: str) -> None:
        clock = asyncio.get_running_loop().time
        if self._log.failure is not None:
            raise self._log.failure
        if self._failing_since is None:
            self._failing_since = clock()
        elif clock() - self._failing_since > _FAILING:
            raise self._log.lost(why)
        await asyncio.sleep(0.2)
