"""A shell without sockets: it answers the steps of a `Tail` from memory, so that a tail takes microseconds.

What the step protocol of `_tail` asks of a shell stands here only: adapt it here when that protocol changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from websockets.utils import accept_key

from synapse_sdk._connection import Connection
from synapse_sdk.clients.exceptions import ClientConnectionError, ClientError
from synapse_sdk.streaming._tail import AskStatus, Close, Open, Opened, Protocol, Read, Sleep, Tail, Write
from synapse_sdk.utils.network import StreamLimits

__all__ = ["Answer", "End", "Outcome", "run_tail"]

End = Literal["closed", "broken", "silent"]
"""How a connection ends: by the book of its transport, by a cut, or not at all: nothing comes any more."""

# A tail that takes more steps than any here needs would go on for ever.
_MAX_STEPS = 20_000


@dataclass
class Answer:
    """What one connection gives: the stream's bytes as the reads cut them, or an answer of another kind."""

    reads: Sequence[bytes] = ()
    end: End = "broken"
    opened: Opened | ClientError | None = None
    content_type: str = "text/event-stream"


@dataclass
class Outcome:
    """What a tail came to."""

    lines: list[str] = field(default_factory=list)
    error: ClientError | None = None
    tail: Any = None

    def whole(self) -> list[str]:
        """The lines of a tail that ended well."""
        if self.error is not None:
            raise AssertionError(f"after {len(self.lines)} lines: {self.error}") from self.error
        return self.lines


def run_tail(
    protocol: Protocol,
    connect: Callable[[Open], Answer],
    ask_status: Callable[[], Any],
    *,
    limits: StreamLimits | None = None,
    max_retries: int = 8,
) -> Outcome:
    """Run a tail to its end. `connect` answers each connection, `ask_status` each question for the job."""
    tail = Tail(
        "job",
        protocol=protocol,
        timeout=1.0,
        limits=limits or StreamLimits.unlimited(),
        connection=Connection("http://agent", "a-token", max_retries=max_retries),
    )
    outcome = Outcome(tail=tail)
    steps = tail.run()
    shell = _Shell(connect, ask_status)
    result: Any = None
    try:
        for _ in range(_MAX_STEPS):
            command = steps.send(result)
            _hand_out(tail, outcome)
            result = shell.do(command)
        raise AssertionError(f"the tail did not end within {_MAX_STEPS} steps")
    except StopIteration:
        pass
    except ClientError as exc:
        outcome.error = exc
    _hand_out(tail, outcome)
    return outcome


def _hand_out(tail: Tail, outcome: Outcome) -> None:
    while tail.log.lines:
        outcome.lines.append(tail.log.lines.popleft())


class _Shell:
    def __init__(self, connect: Callable[[Open], Answer], ask_status: Callable[[], Any]) -> None:
        self._connect = connect
        self._ask_status = ask_status
        self._reads: list[bytes] = []
        self._end: End = "broken"
        self._websocket = False

    def do(self, command: Any) -> Any:
        match command:
            case Open():
                return self._open(command)
            case Read():
                return self._read()
            case AskStatus():
                return self._ask_status()
            case Write() | Close() | Sleep():
                return None
        raise AssertionError(f"a step this shell does not know: {command!r}")

    def _open(self, command: Open) -> Opened | ClientError:
        answer = self._connect(command)
        self._reads = list(reversed(answer.reads))
        self._end = answer.end
        self._websocket = command.websocket
        if answer.opened is not None:
            return answer.opened
        if command.websocket:
            accepted = {
                "upgrade": "websocket",
                "connection": "Upgrade",
                "sec-websocket-accept": accept_key(command.headers["Sec-WebSocket-Key"]),
            }
            return Opened(101, accepted)
        return Opened(200, {"content-type": answer.content_type})

    def _read(self) -> bytes | ClientError | None:
        if self._reads:
            return self._reads.pop()
        if self._end == "silent":
            return None
        if self._end == "broken" and not self._websocket:
            # Under HTTP it is httpx that tells a body cut short from one at its end.
            return ClientConnectionError(503, "peer closed connection without sending complete message body")
        return b""
