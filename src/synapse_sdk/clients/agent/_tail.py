"""The log tails of both clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from ..._exceptions import ValidationError

if TYPE_CHECKING:
    from ..._config import ClientConfig
    from ..._limits import StreamLimits
    from ..._rest._async import AsyncApiClient
    from ..._rest._sync import ApiClient
    from ...streaming import AsyncLogStream, AsyncManyLogStream, LogStream, ManyLogStream
    from ...streaming._merge import OnError
    from ...streaming._notifications import OnEvent
    from ...streaming._start import Start, StreamStart, StreamStarts
    from ...streaming._tail import Protocol, Tail

__all__ = ["AsyncTailMixin", "TailMixin"]

_PROTOCOLS = ("auto", "websocket", "http")
_ON_ERROR = ("finish", "raise")


def _tail(
    job_id: str,
    timeout: float,
    protocol: Any,
    on_event: OnEvent | None,
    limits: StreamLimits,
    config: ClientConfig,
    begin: Start,
) -> Tail:
    from ..._validation import validate_resource_id, validate_timeout

    validate_resource_id(job_id, "job")
    seconds = validate_timeout(timeout)
    if protocol not in _PROTOCOLS:
        raise ValidationError(
            400, f"unknown protocol {protocol!r}", hint="the protocols are 'auto', 'websocket' and 'http'"
        )
    if on_event is not None and not callable(on_event):
        raise ValidationError(400, f"on_event must be callable, not a {type(on_event).__name__}")
    from ...streaming._tail import Tail

    return Tail(
        job_id,
        protocol=protocol,
        timeout=seconds,
        limits=limits,
        config=config,
        on_event=on_event,
        start=begin,
    )


def _several(job_ids: Any, on_error: Any) -> dict[str, None]:
    """Return the ids, each once, in their order."""
    from ..._validation import validate_resource_id

    if isinstance(job_ids, (str, bytes)) or not isinstance(job_ids, Iterable):
        raise ValidationError(
            400,
            f"job_ids must be a collection of job ids, not a {type(job_ids).__name__}",
            hint="such as a list",
        )
    if on_error not in _ON_ERROR:
        raise ValidationError(400, f"unknown on_error {on_error!r}", hint="it is 'finish' or 'raise'")
    ids = cast("Iterable[str]", job_ids)
    return dict.fromkeys(validate_resource_id(job_id, "job") for job_id in ids)


class TailMixin:
    """The log tails of the synchronous client."""

    _api_client: ApiClient
    _stream_limits: StreamLimits

    def tail_job_logs(
        self,
        job_id: str,
        timeout: float = 30.0,
        *,
        protocol: Protocol = "auto",
        on_event: OnEvent | None = None,
        start: StreamStart = "beginning",
        tail: int | None = None,
    ) -> LogStream:
        """Stream the log of a job live, line by line, each line once and in order.

        The stream ends when the log is whole and the job over. A connection that breaks is made again, and
        the stream goes on where it stopped. `client.stream_limits` as of this call bounds it.

        Args:
            job_id: Submission id of the job.
            timeout: Seconds for connecting, and for how long a dead agent may go unnoticed; above 0, at most
                300. A quiet job is not a dead agent.
            protocol: `"auto"` takes a WebSocket and falls back to HTTP where none can be had; `"websocket"`
                and `"http"` never fall back.
            on_event: Called with a `synapse_sdk.streaming.StreamEvent` when the stream has connected, fallen
                back to HTTP, lost its connection, resumed or ended. What it raises ends the stream.
            start: `"beginning"` is the whole log; `"end"` only what is written from now on; a number is the
                `position` of an earlier stream, in bytes, and only what follows it comes.
            tail: Only the last lines of the log as it is now, this many, and what is written from now on.
                With a position, whichever begins later.

        Returns:
            A stream to iterate; also a context manager. It connects when the first line is asked for.

        Raises:
            ValidationError: 400, a bad `job_id`, `timeout`, `protocol`, `start` or `tail`; at once.
            AuthenticationError: 401, the token was refused; this and what follows while iterating.
            AuthorizationError: 403, not allowed.
            NotFoundError: 404, no such job.
            HTTPError: 416, the log is shorter than the position to start from.
            ClientTimeoutError: 408, the agent did not answer, or fell silent and stayed so.
            StreamLimitExceededError: 429, a limit was reached; the lines within it were delivered.
            RateLimitError: 429, the agent takes no more tails for now.
            ServerError: 500, an explicit `"websocket"` where none can exist.
            ClientConnectionError: 503, the agent can't be reached.
            WebSocketError: 503, the WebSocket broke and could not be resumed.
            StreamError: 503, the HTTP stream broke and could not be resumed, or lines are missing from it.

        Example:
            >>> for line in client.tail_job_logs("raysubmit_1", tail=10):  # doctest: +SKIP
            ...     print(line)
        """
        from ...streaming._start import read_start

        return self._stream(job_id, timeout, protocol, on_event, read_start(start, tail))

    def _stream(
        self, job_id: str, timeout: float, protocol: Protocol, on_event: OnEvent | None, begin: Start
    ) -> LogStream:
        from ...streaming import LogStream

        api_client = self._api_client
        tail = _tail(job_id, timeout, protocol, on_event, self._stream_limits, api_client.config, begin)
        api_client.check_open(tail.failures.operation)
        return LogStream(tail, api_client.config, api_client.http)

    def websocket_tail_job_logs(self, job_id: str, timeout: float = 30.0) -> LogStream:
        """Stream the log of a job over WebSocket only: `tail_job_logs` with `protocol="websocket"`.

        Args:
            job_id: Submission id of the job.
            timeout: Seconds, as for `tail_job_logs`.

        Returns:
            A stream to iterate; also a context manager.

        Raises:
            ClientError: As `tail_job_logs` does.

        Example:
            >>> for line in client.websocket_tail_job_logs("raysubmit_1"):  # doctest: +SKIP
            ...     print(line)
        """
        return self.tail_job_logs(job_id, timeout, protocol="websocket")

    def stream_tail_job_logs(self, job_id: str, timeout: float = 30.0) -> LogStream:
        """Stream the log of a job over HTTP only: `tail_job_logs` with `protocol="http"`.

        Args:
            job_id: Submission id of the job.
            timeout: Seconds, as for `tail_job_logs`.

        Returns:
            A stream to iterate; also a context manager.

        Raises:
            ClientError: As `tail_job_logs` does.

        Example:
            >>> for line in client.stream_tail_job_logs("raysubmit_1"):  # doctest: +SKIP
            ...     print(line)
        """
        return self.tail_job_logs(job_id, timeout, protocol="http")

    def tail_many(
        self,
        job_ids: Iterable[str],
        timeout: float = 30.0,
        *,
        protocol: Protocol = "auto",
        on_error: OnError = "finish",
        on_event: OnEvent | None = None,
        start: StreamStarts = "beginning",
        tail: int | None = None,
    ) -> ManyLogStream:
        """Stream the logs of several jobs live, as one stream of pairs `(job_id, line)`.

        The lines of a job come in order, each once, as from `tail_job_logs`; jobs that have lines take turns.
        `client.stream_limits` as of this call bounds each tail, and its `queue_size` the lines that are held
        for a consumer that lags, over all jobs. The stream ends when all logs are whole and the jobs over.

        Args:
            job_ids: Submission ids of the jobs; one that stands there twice is tailed once.
            timeout: Seconds, as for `tail_job_logs`.
            protocol: As for `tail_job_logs`, for each job by itself.
            on_error: What a tail that fails does to the others: `"finish"` lets them come to their end, and
                then the failure is raised; `"raise"` raises it at once, and ends them. Meanwhile the
                stream's `errors` has it, and `on_event` was called.
            on_event: As for `tail_job_logs`; the event's `job_id` says which job it is about. The
                synchronous client calls it from other threads, but never twice at once.
            start: As for `tail_job_logs`; in place of one position, a mapping of positions by job id, such as
                the `positions` of an earlier stream. A job that it lacks begins with its log.
            tail: As for `tail_job_logs`, of each log.

        Returns:
            A stream to iterate; also a context manager. It connects when the first line is asked for.

        Raises:
            ValidationError: 400, a bad parameter; at once.
            ClientError: While iterating: what `tail_job_logs` raises, where one tail failed.
            StreamError: While iterating: where several did, with their common status or 503; it names them.

        Example:
            >>> with client.tail_many(["raysubmit_1", "raysubmit_2"]) as stream:  # doctest: +SKIP
            ...     for job_id, line in stream:
            ...         print(job_id, line)
        """
        from ...streaming import ManyLogStream
        from ...streaming._start import read_starts

        begins = read_starts(start, tail, _several(job_ids, on_error))
        streams = {
            job_id: self._stream(job_id, timeout, protocol, on_event, begin)
            for job_id, begin in begins.items()
        }
        return ManyLogStream(streams, self._stream_limits.queue_size, on_error)


class AsyncTailMixin:
    """The log tails of the asynchronous client."""

    _api_client: AsyncApiClient
    _stream_limits: StreamLimits

    def tail_job_logs(
        self,
        job_id: str,
        timeout: float = 30.0,
        *,
        protocol: Protocol = "auto",
        on_event: OnEvent | None = None,
        start: StreamStart = "beginning",
        tail: int | None = None,
    ) -> AsyncLogStream:
        from ...streaming._start import read_start

        return self._stream(job_id, timeout, protocol, on_event, read_start(start, tail))

    def _stream(
        self, job_id: str, timeout: float, protocol: Protocol, on_event: OnEvent | None, begin: Start
    ) -> AsyncLogStream:
        from ...streaming import AsyncLogStream

        api_client = self._api_client
        tail = _tail(job_id, timeout, protocol, on_event, self._stream_limits, api_client.config, begin)
        api_client.check_open(tail.failures.operation)
        return AsyncLogStream(tail, api_client.config, api_client.http)

    def websocket_tail_job_logs(self, job_id: str, timeout: float = 30.0) -> AsyncLogStream:
        return self.tail_job_logs(job_id, timeout, protocol="websocket")

    def stream_tail_job_logs(self, job_id: str, timeout: float = 30.0) -> AsyncLogStream:
        return self.tail_job_logs(job_id, timeout, protocol="http")

    def tail_many(
        self,
        job_ids: Iterable[str],
        timeout: float = 30.0,
        *,
        protocol: Protocol = "auto",
        on_error: OnError = "finish",
        on_event: OnEvent | None = None,
        start: StreamStarts = "beginning",
        tail: int | None = None,
    ) -> AsyncManyLogStream:
        from ...streaming import AsyncManyLogStream
        from ...streaming._start import read_starts

        begins = read_starts(start, tail, _several(job_ids, on_error))
        streams = {
            job_id: self._stream(job_id, timeout, protocol, on_event, begin)
            for job_id, begin in begins.items()
        }
        return AsyncManyLogStream(streams, self._stream_limits.queue_size, on_error)

    tail_many.__doc__ = TailMixin.tail_many.__doc__
    tail_job_logs.__doc__ = TailMixin.tail_job_logs.__doc__
    websocket_tail_job_logs.__doc__ = TailMixin.websocket_tail_job_logs.__doc__
    stream_tail_job_logs.__doc__ = TailMixin.stream_tail_job_logs.__doc__
