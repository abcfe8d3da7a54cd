"""Several job logs as one asynchronous stream: a task for each reads ahead, within bounds."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import AsyncIterator, Mapping
from functools import partial
from types import TracebackType
from typing import Self

import anyio

from ._async import AsyncLogStream
from ._background import spawn
from ._merge import Merge, MergeState, OnError, Source

__all__ = ["AsyncManyLogStream"]


class AsyncManyLogStream(MergeState[AsyncLogStream], AsyncIterator[tuple[str, str]]):
    """The live logs of several jobs: iterate it with `async for` for pairs of a job id and a line.

    The lines of one job come in order; jobs that have lines take turns. Use it as an asynchronous context
    manager, or await `close`. Nothing is connected before the first line is asked for.

    Example:
        >>> async with client.tail_many(["raysubmit_1", "raysubmit_2"]) as stream:  # doctest: +SKIP
        ...     async for job_id, line in stream:
        ...         print(job_id, line)
    """

    def __init__(
        self, streams: Mapping[str, AsyncLogStream], queue_size: int | None, on_error: OnError
    ) -> None:
        merge = Merge(streams, queue_size, on_error)
        super().__init__(merge)
        self._readers = _Readers(merge)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str, str]:
        """Return the next line of any of the jobs; wait for it as long as it takes."""
        if not self._round:
            self._round.extend(await self._readers.take())
        return self._next_pair()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        readers = getattr(self, "_readers", None)
        if readers is not None and readers.running:
            with contextlib.suppress(RuntimeError):  # no event loop any more
                readers.halt()
            warnings.warn(
                f"{self!r} was not closed; use it in 'async with'", ResourceWarning, stacklevel=2, source=self
            )

    async def close(self) -> None:
        """Close all connections at once; lines not yet read are given up; closing twice is fine.

        May be called from any task: an iteration that waits for a line ends, without an error.
        """
        self._give_up()
        await self._readers.close()

    aclose = close


class _Readers:
    """The tasks, apart from what the consumer holds, so that they don't keep it alive."""

    def __init__(self, merge: Merge[AsyncLogStream]) -> None:
        self.merge = merge
        self._scopes: dict[Source[AsyncLogStream], anyio.CancelScope] = {}
        self._reading = False
        self._news = anyio.Event()
        self._room = anyio.Event()

    @property
    def running(self) -> bool:
        return bool(self._scopes)

    async def take(self) -> list[tuple[str, str]]:
        """Wait for lines; return one of each job that has any."""
        try:
            while True:
                if not self._reading:
                    await self._start()
                lines = self.merge.take()
                if lines:
                    self._wake_readers()
                    return lines
                self.merge.raise_if_over(StopAsyncIteration)
                self._news = anyio.Event()
                await self._news.wait()
        except Exception:
            await self.close()
            raise
        except BaseException:
            # Cancelled: the connections are closed, but a program that reads on continues where this stopped.
            self.halt()
            raise

    def halt(self) -> None:
        """Stop reading."""
        self._reading = False
        for scope in list(self._scopes.values()):
            scope.cancel()

    async def close(self) -> None:
        self.merge.stop()
        self.halt()
        self._reading = True  # start no more tasks
        self._news.set()
        await self._halted()
        for source in self.merge.sources:
            await source.stream.close()

    async def _halted(self) -> None:
        while self._scopes:
            await self._room.wait()

    async def _start(self) -> None:
        await self._halted()
        self._reading = True
        for source in self.merge.sources:
            if not source.over:
                scope = self._scopes[source] = anyio.CancelScope()
                spawn(partial(self._follow, source), scope)

    async def _follow(self, source: Source[AsyncLogStream]) -> None:
        error: BaseException | None = None
        over = True
        try:
            while True:
                if not source.lines:
                    await source.stream.read_more(self._wait_for_room)
                    self.merge.filled(source)
                    self._news.set()
                while source.lines:
                    await self._room.wait()
        except StopAsyncIteration:
            pass
        except Exception as exc:  # noqa: BLE001 - what `on_event` raises is the consumer's
            error = exc
        except BaseException:
            over = False
            raise
        finally:
            del self._scopes[source]
            if over:
                self.merge.ended(source, error)
            self._news.set()
            self._wake_readers()

    async def _wait_for_room(self) -> None:
        while not self.merge.room:
            await self._room.wait()

    def _wake_readers(self) -> None:
        self._room.set()
        self._room = anyio.Event()
