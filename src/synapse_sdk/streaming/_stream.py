"""What the synchronous and the asynchronous stream have in common: they run a `Tail` and show its state."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import httpx

from .._exceptions import ClientError
from .._http._pool import LAST_REQUEST
from .._http._requests import build_request

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Generator

    from .._config import ClientConfig
    from ._commands import Command, Open
    from ._tail import Tail

__all__ = ["GRACE", "READ_SIZE", "StreamState"]

# glibc maps blocks of twice this size anew for each read, which then costs page faults.
READ_SIZE = 65_536
# Seconds by which httpx's own timeouts come first, since their errors name the phase.
GRACE = 0.05


class StreamState:
    """The state of a log stream."""

    def __init__(self, tail: Tail, config: ClientConfig) -> None:
        self._tail = tail
        self._config = config
        self._buffer = tail.log.buffer
        self.pending: deque[str] = tail.log.lines
        """The lines received and not yet handed out."""
        self._pop = tail.log.lines.popleft
        self._commands: Generator[Command, Any, None] = tail.run()
        self._over = False
        self._command: Command | None = None
        self._error: ClientError | None = None

    @property
    def protocol(self) -> str:
        """The protocol in use, or to be used first: `"websocket"` or `"http"`."""
        return self._tail.protocol

    @property
    def job_status(self) -> str | None:
        """The status of the job as far as the tail has heard of it; None before."""
        return self._tail.job_status

    @property
    def reconnects(self) -> int:
        """How often the connection was made again after it broke."""
        return self._tail.reconnects

    @property
    def lines(self) -> int:
        """Lines handed out so far."""
        return self._buffer.delivered_lines

    @property
    def bytes(self) -> int:
        """Log bytes handed out so far, newlines included."""
        return self._buffer.delivered_bytes

    @property
    def start(self) -> int | None:
        """The log bytes before the stream's first line; None until the agent has said where it begins."""
        return self._tail.log.start

    @property
    def position(self) -> int | None:
        """The log bytes up to and including the last line handed out; None while `start` is.

        Another stream of the same log can go on from there: `tail_job_logs(job_id, start=position)`.
        """
        return self._position_after(self._buffer.delivered_bytes)

    @property
    def _previous_position(self) -> int | None:
        """The position before the last line handed out."""
        return self._position_after(self._buffer.previous_bytes)

    def _position_after(self, size: int) -> int | None:
        start = self._tail.log.start
        return None if start is None else start + size

    @property
    def time(self) -> float | None:
        """When the agent read the last line handed out, in seconds since the epoch.

        None where the agent does not say so: for lines that were there before anybody followed the log, and
        of agents older than this.
        """
        return self._buffer.delivered_time

    @property
    def truncated_lines(self) -> int:
        """Lines over `StreamLimits.max_message_size` so far, cut or skipped."""
        return self._buffer.truncated_lines

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._tail.job_id!r} over {self.protocol}, {self.lines} lines>"

    def _build_request(
        self,
        http: httpx.Client | httpx.AsyncClient,
        command: Open,
        trace: Callable[[str, dict[str, Any]], Any],
    ) -> httpx.Request:
        """Build the request that a command asks for, with the tokens of this moment.

        The timeout is for each phase of connecting, and for a silent HTTP body.
        """
        extensions: dict[str, Any] = {**self._config.extensions, "trace": trace}
        if command.kind == "stream":
            # An agent that streams often ignores a further request on the same connection.
            extensions[LAST_REQUEST] = True
        return build_request(
            http,
            "GET",
            self._config.url(command.path),
            params=command.params or None,
            headers=self._config.request_headers(command.headers),
            timeout=httpx.Timeout(command.timeout).as_dict(),
            extensions=extensions,
        )

    def _next_command(self) -> Command | None:
        """Return the command to carry out now; None if the tail has just ended."""
        if self._command is None:
            self._answer(None)
        return self._command

    def _answer(self, result: Any) -> None:
        """Answer the command of the tail."""
        try:
            self._command = self._commands.send(result)
        except StopIteration:
            self._finish(None)
        except ClientError as exc:
            self._finish(exc)
        except BaseException:
            # Ctrl-C, or what `on_event` raised, while text was taken in: how much of it is not known, so a
            # program that goes on reading must not take the lines so far for the whole log.
            self._finish(self._tail.interrupted())
            raise

    def _interrupt(self) -> None:
        """Answer a command that was broken off from outside; reading on makes a new connection."""
        self._answer(self._tail.interruption)

    def _reconnect_here(self) -> None:
        """Have the tail reconnect, because its connection belongs to another process or event loop."""
        if inspect.getgeneratorstate(self._commands) == inspect.GEN_RUNNING:
            self._over, self._error = True, self._tail.interrupted()
        elif not self._over and self._command is not None:
            self._interrupt()

    def _finish(self, error: ClientError | None) -> None:
        self._commands.close()
        self._over = True
        self._command = None
        self._error = error

    def _raise_if_over(self, end: type[Exception] = StopIteration) -> None:
        if not self._over:
            return
        error, self._error = self._error, None
        raise end if error is None else error
