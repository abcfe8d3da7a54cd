"""The log tails of both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synapse_sdk.clients.exceptions import ValidationError
from synapse_sdk.utils.network import validate_resource_id, validate_timeout

if TYPE_CHECKING:
    from synapse_agent_api.models import Job
    from synapse_sdk._connection import Connection
    from synapse_sdk._transport._async import AsyncTransport
    from synapse_sdk._transport._sync import SyncTransport
    from synapse_sdk.streaming import AsyncLogStream, LogStream
    from synapse_sdk.streaming._tail import Protocol, Tail
    from synapse_sdk.utils.network import StreamLimits

__all__ = ["AsyncTailMixin", "TailMixin"]

_PROTOCOLS = ("auto", "websocket", "http")


def _tail(job_id: str, timeout: float, protocol: Any, limits: StreamLimits, connection: Connection) -> Tail:
    validate_resource_id(job_id, "job")
    seconds = validate_timeout(timeout)
    if protocol not in _PROTOCOLS:
        raise ValidationError(
            400, f"unknown protocol {protocol!r}", hint="the protocols are 'auto', 'websocket' and 'http'"
        )
    from synapse_sdk.streaming._tail import Tail

    return Tail(
        job_id,
        protocol=protocol,
        timeout=seconds,
        limits=limits,
        connection=connection,
    )


class TailMixin:
    """The log tails of the synchronous client."""

    _transport: SyncTransport

    if TYPE_CHECKING:

        @property
        def stream_limits(self) -> StreamLimits: ...

        def get_job(self, job_id: str) -> Job: ...

    def tail_job_logs(self, job_id: str, timeout: float = 30.0, *, protocol: Protocol = "auto") -> LogStream:
        """Stream the log of a job live, line by line, each line once and in order.

        The stream ends when the log is whole and the job over. A connection that breaks is made again, and
        the stream goes on where it stopped. `client.stream_limits` as of this call bounds it.

        Args:
            job_id: Submission id of the job.
            timeout: Seconds for connecting, and for how long a dead agent may go unnoticed; above 0, at most
                300. A job may be quiet for as long as it likes.
            protocol: `"auto"` takes a WebSocket and falls back to HTTP where none can be had; `"websocket"`
                and `"http"` never fall back.

        Returns:
            A stream to iterate; also a context manager. It connects when the first line is asked for.

        Raises:
            ValidationError: 400, a bad `job_id`, `timeout` or `protocol`; at once.
            AuthenticationError: 401, the token was refused; this and what follows while iterating.
            AuthorizationError: 403, not allowed.
            NotFoundError: 404, no such job.
            ClientTimeoutError: 408, the agent did not answer, or fell silent and stayed so.
            StreamLimitExceededError: 429, a limit was reached; the lines within it were delivered.
            RateLimitError: 429, the agent takes no more tails for now.
            ServerError: 500, an explicit `"websocket"` where none can exist.
            ClientConnectionError: 503, the agent can't be reached.
            WebSocketError: 503, the WebSocket broke and could not be resumed.
            StreamError: 503, the HTTP stream broke and could not be resumed, or lines are missing from it.

        Example:
            >>> for line in client.tail_job_logs("raysubmit_1"):  # doctest: +SKIP
            ...     print(line)
        """
        from synapse_sdk.streaming import LogStream

        transport = self._transport
        tail = _tail(job_id, timeout, protocol, self.stream_limits, transport.connection)
        transport.check_open(tail.operation)
        return LogStream(tail, transport.connection, transport.http, lambda: _status(self.get_job(job_id)))

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


class AsyncTailMixin:
    """The log tails of the asynchronous client."""

    _transport: AsyncTransport

    if TYPE_CHECKING:

        @property
        def stream_limits(self) -> StreamLimits: ...

        async def get_job(self, job_id: str) -> Job: ...

    def tail_job_logs(
        self, job_id: str, timeout: float = 30.0, *, protocol: Protocol = "auto"
    ) -> AsyncLogStream:
        from synapse_sdk.streaming import AsyncLogStream

        transport = self._transport
        tail = _tail(job_id, timeout, protocol, self.stream_limits, transport.connection)
        transport.check_open(tail.operation)

        async def ask_status() -> str | None:
            return _status(await self.get_job(job_id))

        return AsyncLogStream(tail, transport.connection, transport.http, ask_status)

    def websocket_tail_job_logs(self, job_id: str, timeout: float = 30.0) -> AsyncLogStream:
        return self.tail_job_logs(job_id, timeout, protocol="websocket")

    def stream_tail_job_logs(self, job_id: str, timeout: float = 30.0) -> AsyncLogStream:
        return self.tail_job_logs(job_id, timeout, protocol="http")

    tail_job_logs.__doc__ = TailMixin.tail_job_logs.__doc__
    websocket_tail_job_logs.__doc__ = TailMixin.websocket_tail_job_logs.__doc__
    stream_tail_job_logs.__doc__ = TailMixin.stream_tail_job_logs.__doc__


def _status(job: Job) -> str | None:
    status: Any = job.status
    return None if status is None else str(status.value if hasattr(status, "value") else status)
