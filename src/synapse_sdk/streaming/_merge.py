"""Merge several logs into one stream: which line is next, how much is held, what a failure means. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from .._exceptions import ClientError, StreamError
from ._stream import StreamState

__all__ = ["OPERATION", "Merge", "MergeState", "OnError", "Source"]

OPERATION = "tail the logs of several jobs"

S = TypeVar("S", bound=StreamState)

OnError = Literal["finish", "raise"]


class Source(Generic[S]):
    """One of the logs."""

    __slots__ = ("job_id", "lines", "over", "stream")

    def __init__(self, job_id: str, stream: S) -> None:
        self.job_id: str = job_id
        self.stream: S = stream
        self.lines: deque[str] = stream.pending
        self.over: bool = False


class Merge(Generic[S]):
    """Takes lines from several logs in turn: each job that has lines gives one a round.

    Args:
        streams: The streams by job id.
        queue_size: Lines that may be held, over all jobs; what one read of a connection brings comes on top.
        on_error: "finish" lets the other jobs come to their end before a failure is raised.
    """

    def __init__(self, streams: Mapping[str, S], queue_size: int | None, on_error: OnError) -> None:
        self.sources: list[Source[S]] = [Source(job_id, stream) for job_id, stream in streams.items()]
        self.errors: dict[str, ClientError] = {}
        self._ready: deque[Source[S]] = deque()
        self._held = 0
        self._running = len(self.sources)
        self._queue_size = queue_size
        self._on_error = on_error
        self._fatal: BaseException | None = None
        self._over = False

    @property
    def streams(self) -> Mapping[str, S]:
        """The streams by job id."""
        return MappingProxyType({source.job_id: source.stream for source in self.sources})

    @property
    def room(self) -> bool:
        """Whether more lines may be taken in."""
        return self._queue_size is None or self._held < self._queue_size

    def filled(self, source: Source[S]) -> None:
        """Note the lines of a job that had none before."""
        if source.lines:
            self._held += len(source.lines)
            self._ready.append(source)

    def ended(self, source: Source[S], error: BaseException | None) -> None:
        """Note that a log is over."""
        source.over = True
        self._running -= 1
        if isinstance(error, ClientError):
            self.errors[source.job_id] = error
            if self._on_error == "raise" and self._fatal is None:
                self._fatal = error
        elif error is not None:
            self._fatal = error

    def take(self) -> list[tuple[str, str]]:
        """Return one line of each job that has any.

        Raises:
            BaseException: The error of a log that ends the stream at once.
        """
        if self._fatal is not None:
            raise self._fatal
        round_ = [(source.job_id, source.lines.popleft()) for source in self._ready if source.lines]
        self._held -= len(round_)
        self._ready = deque(source for source in self._ready if source.lines)
        return round_

    def raise_if_over(self, end: type[Exception]) -> None:
        """Raise what ends the stream, once every log is over: the first time an error, if there was one."""
        if self._running:
            return
        was_over, self._over = self._over, True
        raise end if was_over or not self.errors else self._failure()

    def stop(self) -> None:
        """End the stream, and drop what is left."""
        self._fatal = None
        self._ready.clear()
        self._held = self._running = 0
        self._over = True

    def _failure(self) -> ClientError:
        errors = list(self.errors.items())
        if len(errors) == 1:
            return errors[0][1]
        codes = {error.status_code for _, error in errors}
        first = "; ".join(f"job {job_id}: {error.status_code} {error.detail}" for job_id, error in errors[:5])
        more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
        failure = StreamError(
            codes.pop() if len(codes) == 1 else 503,
            f"{len(errors)} of {len(self.sources)} tails failed: {first}{more}",
            operation=OPERATION,
            agent=errors[0][1].agent,
            hint="the stream's errors has each by its job",
        )
        failure.__cause__ = errors[0][1]
        return failure


class MergeState(Generic[S]):
    """What the synchronous and the asynchronous stream of several logs have in common: their state."""

    def __init__(self, merge: Merge[S]) -> None:
        self._merge = merge
        # Lines taken from their streams and not handed out yet, at most one of each job.
        self._round: deque[tuple[str, str]] = deque()
        self._last: str | None = None
        self._final_positions: dict[str, int] | None = None

    @property
    def errors(self) -> Mapping[str, ClientError]:
        """The errors of the tails that have failed so far, by job id."""
        return dict(self._merge.errors)

    @property
    def streams(self) -> Mapping[str, S]:
        """The stream of each job, for its state (`job_status`, `lines`, ...); this stream reads it."""
        return self._merge.streams

    @property
    def positions(self) -> dict[str, int]:
        """The position of each job's stream, from which another one can go on; see `tail_many`.

        A job is missing as long as the agent has not said where its stream begins.
        """
        if self._final_positions is not None:
            return dict(self._final_positions)
        waiting = {job_id for job_id, _ in self._round}
        found = {
            job_id: stream._previous_position if job_id in waiting else stream.position  # pyright: ignore[reportPrivateUsage]
            for job_id, stream in self.streams.items()
        }
        return {job_id: position for job_id, position in found.items() if position is not None}

    @property
    def time(self) -> float | None:
        """When the agent read the last line handed out, in seconds since the epoch, or None if unknown."""
        return None if self._last is None else self.streams[self._last].time

    def _give_up(self) -> None:
        """Drop the lines that were not handed out, and keep the positions of those that were."""
        if self._final_positions is None:
            self._final_positions = self.positions
        self._round.clear()

    def _next_pair(self) -> tuple[str, str]:
        pair = self._round.popleft()
        self._last = pair[0]
        return pair

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.streams)} jobs>"
