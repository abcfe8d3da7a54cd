"""What the synchronous and the asynchronous stream have in common: a `Tail` being run, and what it tells."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .._exceptions import ClientError

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Generator

    from ._tail import Command, Tail

__all__ = ["StreamState"]


class StreamState:
    """The state of a log stream."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self.pending: deque[str] = tail.log.lines
        """Lines that came in and were not handed out yet."""
        self._pop = tail.log.lines.popleft
        self._steps: Generator[Command, Any, None] = tail.run()
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
        return self._tail.log.delivered_lines

    @property
    def bytes(self) -> int:
        """Log bytes handed out so far, newlines included."""
        return self._tail.log.delivered_bytes

    @property
    def start(self) -> int | None:
        """The log bytes before the stream's first line; None until the agent has said where it begins."""
        return self._tail.log.start

    @property
    def position(self) -> int | None:
        """The log bytes up to and including the last line handed out; None while `start` is.

        Another stream of the same log can go on from there: `tail_job_logs(job_id, start=position)`.
        """
        log = self._tail.log
        return None if log.start is None else log.start + log.delivered_bytes

    @property
    def _previous_position(self) -> int | None:
        """The position before the last line handed out."""
        log = self._tail.log
        return None if log.start is None else log.start + log.previous_bytes

    @property
    def time(self) -> float | None:
        """When the agent read the last line handed out, in seconds since the epoch.

        None where the agent does not say so: for lines that were there before anybody followed the log, and
        of agents older than this.
        """
        return self._tail.log.arrival

    @property
    def truncated_lines(self) -> int:
        """Lines over `StreamLimits.max_message_size` so far, cut or skipped."""
        return self._tail.log.truncated_lines

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._tail.job_id!r} over {self.protocol}, {self.lines} lines>"

    def _next_command(self) -> Command | None:
        """Give the step to take now; None where the tail just ended."""
        if self._command is None:
            self._send(None)
        return self._command

    def _send(self, result: Any) -> None:
        """Tell the tail what came of the step before."""
        try:
            self._command = self._steps.send(result)
        except StopIteration:
            self._finish(None)
        except ClientError as exc:
            self._finish(exc)
        except BaseException:
            # Ctrl-C, or `on_event`, in the middle of things: what was taken in by then can't be told, so that
            # whoever goes on reading must not take what there is for the whole log.
            self._finish(self._tail.interrupted())
            raise

    def _interrupt(self) -> None:
        """Tell the tail that a step was broken off from outside: whoever reads on is connected anew."""
        self._send(self._tail.interruption)

    def _go_on_elsewhere(self) -> None:
        """Have the tail reconnect, because its connection belongs to another process or event loop."""
        if inspect.getgeneratorstate(self._steps) == inspect.GEN_RUNNING:
            self._over, self._error = True, self._tail.interrupted()
        elif not self._over and self._command is not None:
            self._interrupt()

    def _finish(self, error: ClientError | None) -> None:
        self._steps.close()
        self._over = True
        self._command = None
        self._error = error

    def _raise_if_over(self, end: type[Exception] = StopIteration) -> None:
        if not self._over:
            return
        error, self._error = self._error, None
        raise end if error is None else error
