"""A shell without sockets: it answers the steps of a `Tail` from memory, so that a tail takes microseconds.

What the step protocol of `_tail` asks of a shell stands here only: adapt it here when that protocol changes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Literal
from unittest import mock

from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from synapse_sdk._config import ClientConfig
from synapse_sdk.clients.exceptions import ClientConnectionError, ClientError
from synapse_sdk.streaming._commands import Close, Open, Opened, Read, Sleep, Write
from synapse_sdk.streaming._start import Start
from synapse_sdk.streaming._tail import Protocol, Tail
from synapse_sdk.utils.network import StreamLimits

__all__ = ["Answer", "End", "Framing", "Outcome", "run_events", "run_tail", "split", "take_in"]

End = Literal["closed", "fin", "reset", "silent"]
"""How a connection ends: by the book of its protocol, without a word, with an RST, or not at all."""

Framing = Literal["chunked", "until close"]
"""How a body over HTTP is framed, which tells httpx one cut short from a whole one, or does not."""

# A tail that takes more steps than any here needs would go on for ever.
_MAX_STEPS = 20_000


@dataclass
class Answer:
    """What one connection gives: a stream, or an answer of another kind in its place.

    Over HTTP, `data` is the body. Reads give it in parts of the sizes `reads`, over and over, each after a
    `pause` of so many seconds.
    """

    data: bytes = b""
    end: End = "fin"
    reads: Sequence[int] = (65_536,)
    framing: Framing = "chunked"
    content_type: str = "text/event-stream"
    opened: Opened | ClientError | None = None
    pause: float = 0.0


@dataclass
class Outcome:
    """What a tail came to."""

    lines: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
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
    start: Start = Start(),  # noqa: B008 - immutable
) -> Outcome:
    """Run a tail to its end. `connect` answers each connection, `ask_status` each question for the job."""
    tail = Tail(
        "job",
        protocol=protocol,
        timeout=1.0,
        limits=limits or StreamLimits.unlimited(),
        config=ClientConfig("http://agent", "a-token", max_retries=max_retries),
        start=start,
    )
    outcome = Outcome(tail=tail)
    shell = _Shell(connect, ask_status)
    with mock.patch("synapse_sdk.streaming._session.time", shell):
        try:
            _run(tail, shell, outcome)
        except StopIteration:
            pass
        except ClientError as exc:
            outcome.error = exc
    _hand_out(tail, outcome)
    return outcome


def run_events(protocol: Protocol, *connections: Sequence[Any]) -> Outcome:
    """Run a tail through connections that bring these events each; all but the last one are cut."""
    left = list(connections)

    def connect(command: Open) -> Answer:
        events = [json.dumps(event).encode() for event in left.pop(0)]
        if protocol == "websocket":
            data = b"".join(Frame(Opcode.TEXT, event).serialize(mask=False) for event in events)
        else:
            data = b"".join(b"data: " + event + b"\n\n" for event in events)
        return Answer(data, "fin" if left else "closed")

    return run_tail(protocol, connect, lambda: "SUCCEEDED")


def _run(tail: Tail, shell: _Shell, outcome: Outcome) -> None:
    steps = tail.run()
    result: Any = None
    for _ in range(_MAX_STEPS):
        command = steps.send(result)
        _hand_out(tail, outcome)
        result = shell.do(command)
    raise AssertionError(f"the tail did not end within {_MAX_STEPS} steps")


def _hand_out(tail: Tail, outcome: Outcome) -> None:
    while tail.log.lines:
        outcome.lines.append(tail.log.lines.popleft())
        outcome.positions.append((tail.log.start or 0) + tail.log.buffer.delivered_bytes)


class _Shell:
    def __init__(self, connect: Callable[[Open], Answer], ask_status: Callable[[], Any]) -> None:
        self._connect = connect
        self._ask_status = ask_status
        self._reads: deque[bytes] = deque()
        self._end: End = "fin"
        self._pause = self._waited = 0.0
        self._now = 0.0

    def monotonic(self) -> float:
        """The time, which passes only while the tail waits for it."""
        return self._now

    def do(self, command: Any) -> Any:
        match command:
            case Open(kind="answer"):
                status = self._ask_status()
                return status if isinstance(status, ClientError) else Opened(200, {}, _job(status))
            case Open():
                return self._open(command)
            case Read(timeout):
                return self._read(timeout)
            case Sleep(seconds):
                self._now += seconds
                return None
            case Write() | Close():
                return None
        raise AssertionError(f"a step this shell does not know: {command!r}")

    def _open(self, command: Open) -> Opened | ClientError:
        answer = self._connect(command)
        self._end = answer.end
        self._pause = answer.pause
        self._waited = 0.0
        if answer.opened is not None:
            self._reads = deque()
            return answer.opened
        data = answer.data
        if command.kind == "websocket":
            if answer.end == "closed":
                data += Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=False)
            self._reads = split(data, answer.reads)
            accepted = accept_key(command.headers["Sec-WebSocket-Key"])
            return Opened(101, {"upgrade": "websocket", "sec-websocket-accept": accepted})
        headers = {"content-type": answer.content_type}
        if answer.framing == "chunked" and answer.end == "fin":
            self._end = "reset"
        self._reads = split(data, answer.reads)
        return Opened(200, headers)

    def _read(self, timeout: float) -> bytes | ClientError | None:
        if self._reads:
            left = self._pause - self._waited
            if left > timeout:
                self._waited += timeout
                self._now += timeout
                return None
            self._waited = 0.0
            self._now += left
            return self._reads.popleft()
        if self._end == "silent":
            self._now += 1.01 * timeout  # never early, as with a real clock
            return None
        if self._end == "reset":
            return ClientConnectionError(503, "the connection was reset")
        return b""


def _job(status: Any) -> bytes:
    return json.dumps({"submission_id": "job", "status": status}).encode()


def split(data: bytes, sizes: Sequence[int]) -> deque[bytes]:
    """Cut `data` into parts of these sizes, over and over."""
    parts: deque[bytes] = deque()
    start = 0
    for size in cycle(sizes):
        if start >= len(data):
            break
        parts.append(data[start : start + size])
        start += size
    return parts


def take_in(tail: Tail, reads: Sequence[bytes], *, content_type: str = "text/event-stream") -> str:
    """Have one connection bring a tail these reads and then end; return how that ended, in words."""
    steps = tail.run()
    waiting = iter(reads)
    result: Any = None
    attached = False
    try:
        while True:
            match steps.send(result):
                case Open(kind="answer"):
                    result = Opened(200, {}, _job("RUNNING"))
                case Open() as command:
                    if attached:
                        return "connects again"
                    attached = True
                    result = Opened(200, {"content-type": content_type})
                    if command.kind == "websocket":
                        accepted = accept_key(command.headers["Sec-WebSocket-Key"])
                        result = Opened(101, {"upgrade": "websocket", "sec-websocket-accept": accepted})
                case Read():
                    result = next(waiting, b"")
                case _:
                    result = None
    except StopIteration:
        return f"whole, {tail.job_status}"
    except ClientError as error:
        return f"{error.status_code} {error}"
