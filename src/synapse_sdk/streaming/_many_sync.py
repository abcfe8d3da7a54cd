"""Several job logs as one synchronous stream: a thread for each reads ahead, within bounds."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from .._http._errors import error_from_exception
from ._merge import OPERATION, Merge, MergeState, OnError, Source
from ._sync import LogStream

__all__ = ["ManyLogStream"]


class ManyLogStream(MergeState[LogStream], Iterator[tuple[str, str]]):
    """The live logs of several jobs: iterate it for pairs of a job id and a line.

    The lines of one job come in order; jobs that have lines take turns. Use it as a context manager, or call
    `close`. Nothing is connected before the first line is asked for.

    Example:
        >>> with client.tail_many(["raysubmit_1", "raysubmit_2"]) as stream:  # doctest: +SKIP
        ...     for job_id, line in stream:
        ...         print(job_id, line)
    """

    def __init__(self, streams: Mapping[str, LogStream], queue_size: int | None, on_error: OnError) -> None:
        merge = Merge(streams, queue_size, on_error)
        super().__init__(merge)
        self._process = os.getpid()
        self._readers = _Readers(merge)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[str, str]:
        """Return the next line of any of the jobs; wait for it as long as it takes."""
        if not self._round:
            self._round.extend(self._readers.take())
        try:
            return self._next_pair()
        except IndexError:  # closed by another thread
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # While the interpreter shuts down, a thread that it stopped may hold a lock for ever; after a fork,
        # one of the parent process.
        if not sys.is_finalizing() and os.getpid() == self._process:
            with contextlib.suppress(Exception):
                self.close()

    @property
    def positions(self) -> dict[str, int]:
        with self._readers.lock:
            return super().positions

    @property
    def time(self) -> float | None:
        with self._readers.lock:
            return super().time

    positions.__doc__ = MergeState.positions.__doc__
    time.__doc__ = MergeState.time.__doc__

    def close(self) -> None:
        """Close all connections at once; lines not yet read are given up; closing twice is fine.

        May be called from any thread: an iteration that waits for a line ends, without an error.
        """
        with self._readers.lock:
            self._give_up()
        self._readers.close()


class _Readers:
    """The threads, apart from what the consumer holds, so that they don't keep it alive."""

    def __init__(self, merge: Merge[LogStream]) -> None:
        self.merge = merge
        self.lock = threading.RLock()
        """Held while lines are taken in or handed out."""
        self._news = threading.Condition(self.lock)
        self._room = threading.Condition(self.lock)
        self._threads: list[threading.Thread] | None = None
        self._closed = False

    def take(self) -> list[tuple[str, str]]:
        """Wait for lines; return one of each job that has any."""
        try:
            with self.lock:
                if self._threads is None and not self._closed:
                    self._start()
                while True:
                    lines = self.merge.take()
                    if lines:
                        self._room.notify_all()
                        return lines
                    self.merge.raise_if_over(StopIteration)
                    self._news.wait()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self.lock:
            self._closed = True
            self.merge.stop()
            self._news.notify_all()
            self._room.notify_all()
            threads, self._threads = self._threads or [], None
        for source in self.merge.sources:
            source.stream.close()
        deadline = time.monotonic() + 0.5
        for thread in threads:
            if thread is not threading.current_thread():
                # A connection can't be broken off before it has a socket; it ends within `timeout`.
                thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self) -> None:
        self._threads = []
        for source in self.merge.sources:
            thread = threading.Thread(
                target=self._follow, args=[source], name=f"synapse-tail-{source.job_id}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as exc:  # too many, or the interpreter is shutting down
                raise error_from_exception(exc, operation=OPERATION, agent="") from exc
            self._threads.append(thread)

    def _follow(self, source: Source[LogStream]) -> None:
        error: BaseException | None = None
        backpressure = _Backpressure(self, source)
        try:
            while True:
                source.stream.read_more(backpressure)
                with self.lock:
                    self._room.wait_for(lambda: not source.lines or self._closed)
        except StopIteration:
            pass
        except BaseException as exc:  # noqa: BLE001 - what `on_event` raises is the consumer's
            error = exc
        with self.lock:
            if not self._closed:
                self.merge.ended(source, error)
                self._news.notify_all()

    def enter(self) -> None:
        self.lock.acquire()
        self._room.wait_for(lambda: self.merge.room or self._closed)

    def leave(self, source: Source[LogStream]) -> None:
        try:
            if not self._closed:
                self.merge.filled(source)
                if source.lines:
                    self._news.notify_all()
        finally:
            self.lock.release()


class _Backpressure:
    """Lets a reader turn what it read into lines once there is room for them, one reader at a time."""

    def __init__(self, readers: _Readers, source: Source[LogStream]) -> None:
        self._readers = readers
        self._source = source

    def __enter__(self) -> None:
        self._readers.enter()

    def __exit__(self, *_: object) -> None:
        self._readers.leave(self._source)
