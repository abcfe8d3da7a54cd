"""How a tail goes on: which connection is next, when to wait, when to give up, when the log is whole. No I/O.

`Tail.run` is a generator of commands, so that this logic stands once for the synchronous and the asynchronous
stream. The sessions yield the commands of one connection; what is decided between two is here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from .._exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    ServerError,
    StreamError,
)
from .._retry import backoff
from ._commands import Close, Command, Open, Sleep
from ._failures import Failures, stream_error
from ._http_session import HttpSession, find_start
from ._log import Log
from ._messages import Complete
from ._notifications import StreamEvent
from ._session import Dropped, Outcome, Session, StartUnknown, TailState, Unusable
from ._start import Start

if TYPE_CHECKING:
    from .._config import ClientConfig
    from .._limits import StreamLimits
    from ._notifications import OnEvent, StreamEventKind

__all__ = ["Protocol", "Tail"]

Protocol = Literal["auto", "websocket", "http"]

_logger = logging.getLogger("synapse_sdk")

_TERMINAL = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})

# Attempts in a row without progress, after which a tail gives up.
_MAX_ATTEMPTS = 8
# After how many of them `auto` tries HTTP in place of the WebSocket.
_MAX_WEBSOCKET_ATTEMPTS = 4
_BACKOFF = 0.1
_MAX_BACKOFF = 8.0
# Seconds that the request for the job's status may take, where the tail itself has longer.
_STATUS_TIMEOUT = 10.0
_MIN_MAX_SIZE = 2**20


class Tail:
    """One tail of one job.

    Args:
        job_id: The job.
        protocol: As `tail_job_logs` takes it.
        timeout: Seconds for connecting, and for how long a silent agent is taken to be alive.
        limits: The limits of the stream.
        config: The agent and how to reach it.
        on_event: Called with what happens to the stream.
        start: Where the stream begins.
    """

    def __init__(
        self,
        job_id: str,
        *,
        protocol: Protocol,
        timeout: float,
        limits: StreamLimits,
        config: ClientConfig,
        on_event: OnEvent | None = None,
        start: Start = Start(),  # noqa: B008 - immutable
    ) -> None:
        self.job_id: str = job_id
        self.timeout: float = timeout
        self.log: Log = Log(limits, start)
        self.failures: Failures = Failures(f"tail the log of job {job_id}", config)
        self.protocol: Literal["websocket", "http"] = "http" if protocol == "http" else "websocket"
        self.job_status: str | None = None
        self.reconnects: int = 0
        self._start = start
        self._must_find_start = False
        self._may_fall_back = protocol == "auto"
        self._max_retries = config.max_retries
        self._max_size = max(_MIN_MAX_SIZE, 4 * limits.max_message_size)
        self._on_event = on_event
        self._state = TailState(job_id, self.log, self.failures, timeout, self._on_attached)
        self._session: Session | None = None
        self._attached = False
        self._attempts_without_progress = 0
        self._reached = 0  # how far into the log any connection has come
        self._broken_at: int | None = None

    def run(self) -> Generator[Command, Any, None]:
        """Yield the commands of the tail until the log is whole.

        Raises:
            ClientError: It can't be had.
        """
        try:
            yield from self._run()
        except ClientError as exc:
            self.failures.complete(exc)
            self._notify("ended", error=exc)
            raise
        self._notify("ended")

    @cached_property
    def interruption(self) -> ClientError:
        """The answer to a command that was broken off from outside."""
        return self.failures.error(ClientConnectionError, 503, "the connection was given up")

    def interrupted(self) -> ClientError:
        """Return the error for a tail that was broken off while it took text in."""
        return self.failures.error(
            StreamError,
            503,
            f"the stream was interrupted after {self.log.buffer.received_lines} lines, while it took in more",
            hint="tail the job again",
        )

    def goodbye(self) -> bytes:
        """Close the present session; return the bytes to send before its connection is closed."""
        return b"" if self._session is None else self._session.close()

    # --- connections

    def _run(self) -> Generator[Command, Any, None]:
        while True:
            outcome = yield from self._connect()
            if isinstance(outcome, Complete):
                self.job_status = outcome.status or self.job_status
                self.log.finish()
                return
            if isinstance(outcome, StartUnknown):
                self._must_find_start = True
            elif isinstance(outcome, Unusable):
                self._fall_back(outcome.error)
            elif outcome is not None and (yield from self._recover(outcome)):
                self.log.finish()
                return

    def _connect(self) -> Generator[Command, Any, Outcome | None]:
        """Make a connection and return how it ended; None where that was to be expected."""
        if self._must_find_start:
            dropped = yield from find_start(self._state, self._start.tail, self._start.offset)
            yield Close()
            self._must_find_start = dropped is not None
            return dropped
        session = self._new_session()
        if isinstance(session, Unusable):
            return session
        self.log.connect(websocket=self.protocol == "websocket")
        self._session = session
        outcome = yield from session.run()
        self._session = None
        yield Close(session.goodbye)
        return outcome

    def _new_session(self) -> Session | Unusable:
        if self.protocol == "http":
            return HttpSession(self._state, self._max_size)
        try:
            from ._websocket_session import WebSocketSession
        except ImportError as exc:
            why = "no WebSocket can be had: the package 'websockets' is not installed"
            error = self.failures.error(ServerError, 500, why, hint="protocol='http' does without one")
            error.__cause__ = exc
            return Unusable(error)
        # In `auto`, HTTP must have its turn within the same timeout.
        timeout = self.timeout / 2 if self._may_fall_back else self.timeout
        return WebSocketSession(self._state, timeout, self._max_size)

    def _on_attached(self) -> None:
        kind: StreamEventKind = "resumed" if self._attached else "connected"
        self._attached = True
        self._notify(kind)

    def _fall_back(self, reason: ClientError) -> None:
        """Go on over HTTP, or raise the reason where that was not asked for."""
        if not self._may_fall_back:
            raise reason
        self.protocol = "http"
        self._notify("fell_back", error=reason)

    # --- after a connection

    def _recover(self, dropped: Dropped) -> Generator[Command, Any, bool]:
        """Get ready for the next connection; return True if the log is whole instead.

        Raises:
            ClientError: A further connection would be of no use.
        """
        error = dropped.error
        interrupted = error is self.interruption
        may_fall_back = self._may_fall_back and self.protocol == "websocket"
        if may_fall_back and not self._attached and not interrupted:
            self._fall_back(error)
            return False
        progress = self.log.reached - self._reached
        if progress > 0:
            self._reached = self.log.reached
            self._attempts_without_progress = 0
        if dropped.broken:
            if self._broken_at == self._reached:
                if not may_fall_back:
                    self.log.flush()
                self._fall_back(error)
                self.reconnects += 1
                return False
            self._broken_at = self._reached
        if interrupted:
            self.reconnects += self._attached
            return False
        if dropped.attached:
            status = yield from self._ask_status()
            if status is self.interruption:
                self.reconnects += 1
                return False
            if isinstance(status, ClientError):
                if status.status_code in (401, 403, 404):
                    raise status
                _logger.debug("%s: the job's status can't be had: %s", self.failures.operation, status.detail)
            else:
                self.job_status = status
                if status in _TERMINAL:
                    # What the job wrote last may not have come before the end of that connection; another
                    # one that brings no more of it, and is not cut off, has shown that this was all.
                    if self._state.is_job_over and dropped.clean and progress == 0:
                        return True
                    if progress > 0 or not self._state.is_job_over:
                        self._state.is_job_over = True
                        self.reconnects += 1
                        self._notify("reconnecting", error=error)
                        return False
                elif isinstance(error, ClientTimeoutError) and self.protocol == "http":
                    self._attempts_without_progress = 0  # the job is quiet, and the agent answers
        yield from self._back_off(error)
        return False

    def _back_off(self, error: ClientError) -> Generator[Command, Any, None]:
        """Wait before the next attempt, or give up.

        Raises:
            ClientError: It would be one too many.
        """
        self._attempts_without_progress += 1
        attempts = self._attempts_without_progress
        if attempts > (_MAX_ATTEMPTS if self._attached else self._max_retries):
            raise self._given_up(error)
        if self._attached:
            self.reconnects += 1
        delay = backoff(attempts - 1, base=_BACKOFF, cap=_MAX_BACKOFF)
        self._notify("reconnecting", error=error, delay=delay)
        yield Sleep(delay)
        if self._may_fall_back and self.protocol == "websocket" and attempts == _MAX_WEBSOCKET_ATTEMPTS:
            # The agent may be well, and something between here and there may break WebSockets.
            self._fall_back(error)

    def _ask_status(self) -> Generator[Command, Any, str | ClientError | None]:
        """Ask for the status of the job, once: it only helps to decide, and the tail goes on without it."""
        timeout = min(self.timeout, _STATUS_TIMEOUT)
        opened = yield Open(f"jobs/{self.job_id}/", {}, {"Accept": "application/json"}, timeout, "answer")
        yield Close()
        if isinstance(opened, ClientError):
            return opened
        if opened.status != 200:
            return self.failures.refused(opened)
        try:
            status = json.loads(opened.body)["status"]
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            why = f"the job's status can't be read: {type(exc).__name__}"
            return self.failures.error(ServerError, 500, why)
        return status if isinstance(status, str) else None

    def _given_up(self, last: ClientError) -> ClientError:
        if not self._attached:
            return last
        timed_out = isinstance(last, ClientTimeoutError)
        error = self.failures.error(
            ClientTimeoutError if timed_out else stream_error(self.protocol),
            408 if timed_out else 503,
            f"the stream broke after {self.log.buffer.received_lines} lines and could not be resumed: "
            f"{last.detail}",
            hint="the job goes on by itself; tail it again when the agent can be reached",
        )
        error.__cause__ = last
        return error

    def _notify(self, kind: StreamEventKind, *, error: ClientError | None = None, delay: float = 0.0) -> None:
        event = StreamEvent(
            kind, self.job_id, self.protocol, self.log.position, delay, error, self.job_status
        )
        _logger.info("%s", event)
        if self._on_event is not None:
            self._on_event(event)
