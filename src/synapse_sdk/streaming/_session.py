"""The base of the sessions: one connection to an agent, from its request to its end. No I/O.

A session yields commands and returns how its connection ended. What happens next is for `Tail` to decide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from .._exceptions import ClientError, StreamError
from ._commands import Command, Read
from ._failures import Failures
from ._log import Log
from ._messages import Batch, Complete, Connected, Failed, Text, decode

__all__ = [
    "PASSING",
    "READ_TO_FLUSH",
    "Dropped",
    "Outcome",
    "Session",
    "StartUnknown",
    "Steps",
    "TailState",
    "Unusable",
]

# Seconds that text without offset or newline is held back: it may be a whole line or the beginning of one.
_FLUSH_AFTER = 0.1
# The same for a log that is never silent.
_FLUSH_AFTER_BUSY = 1.0
READ_TO_FLUSH = Read(_FLUSH_AFTER)
PASSING = frozenset({408, 500, 502, 503, 504})
"""The statuses of a failure that may be over at the next try."""


class Dropped(NamedTuple):
    """The connection is over, or could not be made.

    Attributes:
        error: Why.
        attached: Whether the stream had begun.
        clean: Whether it came to a proper end of its protocol.
        broken: Whether the agent sent what breaks the protocol, and may do so again at the same place.
    """

    error: ClientError
    attached: bool = True
    clean: bool = False
    broken: bool = False


class Unusable(NamedTuple):
    """The log can't be had over this protocol."""

    error: ClientError


class StartUnknown(NamedTuple):
    """The agent does not say where the stream begins, so it can only send the whole log."""


Outcome = Complete | Dropped | Unusable | StartUnknown
Steps = Generator[Command, Any, Outcome]


@dataclass(slots=True)
class TailState:
    """The state that the sessions of a tail share.

    Attributes:
        job_id: The job whose log it is.
        log: What was received of the log.
        failures: Makes errors.
        timeout: Seconds for connecting, and for how long a silent agent is taken to be alive.
        on_attached: Called when a stream has begun.
        is_job_over: Whether the job has ended, so that the log may be whole.
    """

    job_id: str
    log: Log
    failures: Failures
    timeout: float
    on_attached: Callable[[], None]
    is_job_over: bool = False


class Session:
    """One connection.

    Args:
        state: The state of the tail.
    """

    protocol: Literal["websocket", "http"] = "http"

    def __init__(self, state: TailState) -> None:
        self.state = state
        self.log = state.log
        self.failures = state.failures
        self.goodbye = b""
        """The bytes to send before the connection is closed."""
        self._last_text = self._held_since = 0.0

    def run(self) -> Steps:
        """Yield the commands of the connection; return how it ended."""
        raise NotImplementedError

    def close(self) -> bytes:
        """Close the session from outside; return the bytes to send before the connection is closed."""
        return b""

    def attach(self) -> None:
        """Note that the stream has begun."""
        self._last_text = self._held_since = time.monotonic()
        self.state.on_attached()

    def feed(self, batches: Sequence[Batch]) -> Complete | StartUnknown | None:
        """Add messages to the log; return what ends the session, if anything does.

        Raises:
            ClientError: The agent reported an error, text is missing, or a limit was reached.
        """
        log = self.log
        log.buffer.trim()
        now = time.monotonic()
        for batch in batches:
            if batch.objects and log.add_events(batch.objects):
                self._last_text = now
                continue
            for event in decode(batch):
                if isinstance(event, Connected) and event.offset is not None:
                    if log.awaits_start:
                        log.begin(event.offset)
                elif isinstance(event, Failed):
                    log.flush()
                    raise self.failures.reported(event, self.protocol)
                elif log.start is None:
                    return StartUnknown()
                elif isinstance(event, Text):
                    self._last_text = now
                    log.add(event.text, event.offset, event.time, whole=event.whole)
                elif isinstance(event, Complete):
                    return event
        if not log.has_ambiguous_text:
            self._held_since = now
        elif now - self._last_text > _FLUSH_AFTER or now - self._held_since > _FLUSH_AFTER_BUSY:
            # Signs of life, such as heartbeats, may keep a read from ever being empty.
            log.flush()
        return None

    def is_stalled(self) -> bool:
        """Return whether the agent lives, and sends no more text although it should or may have no more.

        It should while it replays what was received before, and may have no more when the job is over.
        """
        if not (self.state.is_job_over or self.log.is_replaying):
            return False
        return time.monotonic() - self._last_text > self.state.timeout

    def stalled(self) -> Dropped:
        """Return the outcome of a session that is stalled."""
        if self.log.is_replaying:
            return Dropped(self.failures.error(StreamError, 503, self.log.short_replay))
        why = "the agent keeps the stream of a job open that is over"
        return Dropped(self.failures.error(StreamError, 503, why), clean=True)
