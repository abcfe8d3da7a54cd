"""How a tail goes: connect, read, fall back, reconnect, end. No I/O.

`Tail.run` is a generator that yields what is to be done (`Open`, `Read`, …) and is sent what came of it, so
that this logic stands once for the synchronous and the asynchronous stream. A step that failed is sent as the
`ClientError` it came to.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from .._exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    ServerError,
    StreamError,
    StreamLimitExceededError,
    WebSocketError,
)
from .._http._errors import error_from_response, media_type
from .._rest._log_window import LogWindow, WindowReader
from .._retry import backoff
from ._events import Batch, Complete, Connected, Failed, Text, decode
from ._log import Log
from ._plain_text import PlainText
from ._sse import EventSource
from ._start import Start
from ._stream_event import StreamEvent

if TYPE_CHECKING:
    from .._config import ClientConfig
    from .._limits import StreamLimits
    from ._stream_event import OnEvent, StreamEventKind
    from ._websocket import Handshake, WebSocket

__all__ = ["Close", "Command", "Open", "Opened", "Protocol", "Read", "Sleep", "Tail", "Write"]

_E = TypeVar("_E", bound=ClientError)

Protocol = Literal["auto", "websocket", "http"]

_logger = logging.getLogger("synapse_sdk")

TERMINAL = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})

# Seconds that text without offset or newline is held back: it may be a whole line or the beginning of one.
_SETTLE = 0.1
# The same for a log that is never silent.
_SETTLE_BUSY = 1.0
# Reconnects in a row that brought nothing new, after which a tail gives up.
_MAX_FRUITLESS = 8
# After how many of them `auto` tries HTTP in place of the WebSocket.
_FRUITLESS_WEBSOCKETS = 4
_BACKOFF = 0.1
# Seconds that the question for the job's status may take, where the tail itself has longer.
_ASK_TIMEOUT = 10.0
_MAX_BACKOFF = 8.0
_MIN_MESSAGE_BOUND = 2**20
_EVENT_TYPES = frozenset({"", "text/event-stream", "application/x-ndjson", "application/json"})
_PLAIN_TYPES = frozenset({"text/plain", "application/octet-stream"})
_PASSING = frozenset({408, 500, 502, 503, 504})


class Open(NamedTuple):
    """Send a request, for a WebSocket, an HTTP stream or a plain answer; answer with `Opened`."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    timeout: float
    kind: Literal["websocket", "stream", "answer"]

    def streams(self, status: int) -> bool:
        """Whether an answer with this status is the stream that was asked for."""
        return self.kind != "answer" and status == (101 if self.kind == "websocket" else 200)


class Opened(NamedTuple):
    """The head of an answer.

    Attributes:
        status: HTTP status.
        headers: HTTP headers.
        body: The body of an answer that is no stream, or its beginning.
        switchable: Whether the connection could be used as a WebSocket.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    switchable: bool = True


class Read(NamedTuple):
    """Wait for bytes, `timeout` seconds at most; answer with them, b"" at the end, None if none came."""

    timeout: float


class Write(NamedTuple):
    """Send bytes."""

    data: bytes


class Close(NamedTuple):
    """Close the connection, after sending `goodbye` if that is possible at once."""

    goodbye: bytes = b""


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


Command = Open | Read | Write | Close | Sleep
_READ_TO_SETTLE = Read(_SETTLE)
Steps = Generator[Command, Any, "_Outcome"]


class _Dropped(NamedTuple):
    """The connection is over.

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


class _FallBack(NamedTuple):
    reason: ClientError


class _Failed(NamedTuple):
    error: ClientError


class _StartUnknown(NamedTuple):
    """The agent does not say where the stream begins, so it knows no parts of logs."""


class _StartUnknownError(Exception):
    """The same, from inside of a connection."""


_Outcome = Complete | _Dropped | _FallBack | _Failed | _StartUnknown


class Tail:
    """One tail of one job: its state, and the steps to take."""

    def __init__(
        self,
        job_id: str,
        *,
        protocol: Protocol,
        timeout: float,
        limits: StreamLimits,
        connection: ClientConfig,
        on_event: OnEvent | None = None,
        start: Start = Start(),  # noqa: B008 - immutable
    ) -> None:
        self.log: Log = Log(limits, start)
        self._start = start
        self._find_start = False
        self.protocol: Literal["websocket", "http"] = "http" if protocol == "http" else "websocket"
        self.job_status: str | None = None
        self.reconnects: int = 0
        self.job_id: str = job_id
        self._may_fall_back = protocol == "auto"
        self.timeout: float = timeout
        self.operation: str = f"tail the log of job {job_id}"
        self._connection = connection
        self._max_size = max(_MIN_MESSAGE_BOUND, 4 * limits.max_message_size)
        self.interruption: ClientConnectionError = self._error(
            ClientConnectionError, 503, "the connection was given up"
        )
        self._on_event = on_event
        self._attached = False
        self._draining = False
        self._last_text = self._held_since = time.monotonic()
        self._goodbye = b""
        self._open_websocket: WebSocket | None = None

    def run(self) -> Generator[Command, Any, None]:
        """Yield the steps of the tail, until the log is whole; raise `ClientError` where it can't be.

        A step that was broken off from outside is answered with `interruption`.
        """
        try:
            yield from self._run()
        except ClientError as exc:
            if exc.operation is None:
                self._named(exc)
            self._tell("ended", error=exc)
            raise
        self._tell("ended")

    def _run(self) -> Generator[Command, Any, None]:
        fruitless = 0
        reached = 0
        broken_at: int | None = None
        while True:
            outcome = yield from self._attempt()
            self._open_websocket = None
            yield Close(self._goodbye)
            if isinstance(outcome, Complete):
                self.job_status = outcome.status or self.job_status
                self.log.finish()
                return
            if isinstance(outcome, _Failed):
                raise outcome.error
            if isinstance(outcome, _FallBack):
                self._fall_back(outcome.reason)
                continue
            if isinstance(outcome, _StartUnknown):
                self._find_start = True
                continue
            progress = self.log.reached - reached
            if progress > 0:
                reached = self.log.reached
                fruitless = 0
            if outcome.broken:
                if broken_at == reached:
                    if not self._may_fall_back:
                        self.log.settle()
                        raise outcome.error
                    self.reconnects += 1
                    self._fall_back(outcome.error)
                    continue
                broken_at = reached
            if outcome.error is self.interruption:
                self.reconnects += self._attached
                continue
            if outcome.attached:
                status = yield from self._ask_status()
                if status is self.interruption:
                    self.reconnects += 1
                    continue
                if isinstance(status, ClientError):
                    if status.status_code in (401, 403, 404):
                        raise status
                    _logger.debug("%s: the job's status can't be had: %s", self.operation, status.detail)
                elif status in TERMINAL:
                    self.job_status = status
                    # What the job wrote last may not have come before the end of that connection; another
                    # one that brings no more of it, and is not cut off, has shown that this was all.
                    if self._draining and outcome.clean and progress == 0:
                        self.log.finish()
                        return
                    if progress > 0 or not self._draining:
                        self._draining = True
                        self._last_text = time.monotonic()
                        self.reconnects += 1
                        self._tell("reconnecting", error=outcome.error)
                        continue
                else:
                    self.job_status = status
                    if isinstance(outcome.error, ClientTimeoutError) and self.protocol == "http":
                        fruitless = 0  # the job is quiet, and the agent answers
            fruitless += 1
            if fruitless > (_MAX_FRUITLESS if self._attached else self._connection.max_retries):
                raise self._given_up(outcome.error)
            if self._attached:
                self.reconnects += 1
            delay = backoff(fruitless - 1, base=_BACKOFF, cap=_MAX_BACKOFF)
            self._tell("reconnecting", error=outcome.error, delay=delay)
            yield Sleep(delay)
            if self._may_fall_back and self.protocol == "websocket" and fruitless == _FRUITLESS_WEBSOCKETS:
                # The agent may be well, and something between here and there bear no WebSocket for long.
                self._fall_back(outcome.error)

    def _ask_status(self) -> Generator[Command, Any, str | ClientError | None]:
        """Ask for the status of the job, once: it only helps to decide, and the tail goes on without it."""
        timeout = min(self.timeout, _ASK_TIMEOUT)
        opened = yield Open(f"jobs/{self.job_id}/", {}, {"Accept": "application/json"}, timeout, "answer")
        yield Close()
        if isinstance(opened, ClientError):
            return opened
        if opened.status != 200:
            return self._refusal(opened)
        try:
            status = json.loads(opened.body)["status"]
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            return self._error(ServerError, 500, f"the job's status can't be read: {type(exc).__name__}")
        return status if isinstance(status, str) else None

    def unanswered(self, seconds: float) -> ClientError:
        """Make the error for a peer whose answer was not whole in time."""
        return self._error(ClientTimeoutError, 408, f"no answer within {seconds:g} s")

    def interrupted(self) -> ClientError:
        """Make the error for a tail whose own work was broken off."""
        return self._error(
            StreamError,
            503,
            f"the stream was interrupted after {self.log.received_lines} lines, while it took in more",
            hint="tail the job again",
        )

    def _fall_back(self, reason: ClientError) -> None:
        self.protocol = "http"
        self._tell("fell_back", error=reason)

    def _tell(self, kind: StreamEventKind, *, error: ClientError | None = None, delay: float = 0.0) -> None:
        event = StreamEvent(
            kind, self.job_id, self.protocol, self.log.position, delay, error, self.job_status
        )
        _logger.info("%s", event)
        if self._on_event is not None:
            self._on_event(event)

    def _attach(self) -> None:
        kind: StreamEventKind = "resumed" if self._attached else "connected"
        self._attached = True
        self._last_text = self._held_since = time.monotonic()
        self._tell(kind)

    def goodbye(self) -> bytes:
        """Give the bytes that close the present connection politely."""
        websocket = self._open_websocket
        if websocket is None:
            return b""
        websocket.close()
        return websocket.output()

    # --- one connection

    def _attempt(self) -> Steps:
        self._goodbye = b""
        if self._find_start:
            outcome = yield from self._locate_start()
            if outcome is not None:
                return outcome
            yield Close()
        self.log.connect(websocket=self.protocol == "websocket")
        try:
            if self.protocol == "http":
                return (yield from self._http())
            try:
                from ._websocket import Handshake, WebSocket
            except ImportError as exc:
                return self._unavailable("the package 'websockets' is not installed", exc)
            return (yield from self._websocket(Handshake(), WebSocket(max_size=self._max_size)))
        except _StartUnknownError:
            self._goodbye = self.goodbye()
            return _StartUnknown()

    def _websocket(self, handshake: Handshake, websocket: WebSocket) -> Steps:
        # In `auto`, HTTP must have its turn within the same timeout.
        timeout = self.timeout / 2 if self._may_fall_back else self.timeout
        opened = yield Open(
            f"jobs/{self.job_id}/logs/",
            self.log.window(),
            handshake.headers,
            timeout,
            "websocket",
        )
        if isinstance(opened, ClientError):
            return self._not_opened(opened)
        refused = self._check_handshake(opened, handshake)
        if refused is not None:
            return refused
        self._open_websocket = websocket
        self._attach()
        log = self.log
        interval = self.timeout / 3
        read = Read(interval)
        silent = 0.0
        while True:
            data = yield _READ_TO_SETTLE if log.undecided else read
            if data is None:
                if log.undecided:
                    log.settle()
                    continue
                silent += interval
                if silent > self.timeout - interval / 2:
                    return _Dropped(
                        self._error(ClientTimeoutError, 408, "the agent fell silent, pings included")
                    )
                websocket.ping()
                yield Write(websocket.output())
                continue
            if isinstance(data, ClientError):
                return _Dropped(data)
            silent = 0.0
            complete = self._take(websocket.receive(data))
            answer = websocket.output()
            if complete is not None:
                websocket.close()
                self._goodbye = websocket.output()
                return complete
            if websocket.ended:
                self._goodbye = answer
                return self._websocket_end(websocket)
            if answer:
                yield Write(answer)
            if self._at_rest() and not websocket.inside:
                return self._rest()

    def _check_handshake(self, opened: Opened, handshake: Handshake) -> _Outcome | None:
        if not opened.switchable:
            return self._unavailable("the HTTP client's transport gives no access to its connections")
        if opened.status == 101:
            wrong = handshake.refusal(opened.headers)
            if wrong is None:
                return None
            return self._not_opened(
                self._error(WebSocketError, 503, f"the WebSocket handshake failed: {wrong}")
            )
        error = self._refusal(opened)
        if opened.status in (401, 403, 429):
            raise error
        if opened.status in _PASSING:
            return self._not_opened(error)
        if opened.status < 400 or opened.status == 426:
            error = self._error(
                WebSocketError,
                503,
                f"the request for a WebSocket was answered with HTTP status {opened.status}",
                hint="a proxy before the agent may strip the upgrade; protocol='http' does without",
            )
        if self._may_fall_back:
            return _FallBack(error)
        raise error

    def _websocket_end(self, websocket: WebSocket) -> _Outcome:
        if websocket.broken is not None:
            error: ClientError = self._error(
                WebSocketError,
                503,
                f"{websocket.broken}, at byte {self.log.reached} of the log",
                hint="protocol='http' takes bytes that are not UTF-8 as U+FFFD",
            )
            return _Dropped(error, broken=True)
        if websocket.too_big is not None:
            error = self._error(
                StreamLimitExceededError,
                429,
                f"the agent sent a WebSocket message above the bound of {self._max_size} bytes: "
                f"{websocket.too_big}",
                hint="protocol='auto' goes on over HTTP; the bound is 4 x StreamLimits.max_message_size",
            )
            return _FallBack(error) if self._may_fall_back else _Failed(error)
        _logger.debug("%s: %s", self.operation, self._connection.redact(websocket.end))
        return _Dropped(self._error(WebSocketError, 503, websocket.end), clean=websocket.closed)

    def _http(self) -> Steps:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}
        window = self.log.window()
        if "tail" not in window and "offset" in window:
            headers["Last-Event-ID"] = window.pop("offset")
        opened = yield Open(f"jobs/{self.job_id}/logs/stream/", window, headers, self.timeout, "stream")
        if isinstance(opened, ClientError):
            return self._not_opened(opened)
        if opened.status in _PASSING:
            return self._not_opened(self._refusal(opened))
        if opened.status != 200:
            raise self._refusal(opened)
        source = self._event_source(opened)
        self._attach()
        return (yield from self._events(source))

    def _locate_start(self) -> Generator[Command, Any, _Outcome | None]:
        """Find out where the last lines begin, from an agent that can only send the whole log."""
        window = LogWindow({"tail": self._start.tail})
        headers = {"Accept": "application/json, text/plain", "Accept-Encoding": "identity"}
        opened = yield Open(
            f"jobs/{self.job_id}/logs/", {"tail": str(self._start.tail)}, headers, self.timeout, "stream"
        )
        if isinstance(opened, ClientError):
            return _Dropped(opened, attached=False)
        if opened.status in _PASSING:
            return _Dropped(self._refusal(opened), attached=False)
        if opened.status != 200:
            raise self._refusal(opened)
        found = window.start(opened.headers)
        if found is None:
            kind = media_type(opened.headers)
            if kind not in _PLAIN_TYPES | {"", "application/json"}:
                raise self._error(ServerError, 500, f"the log was answered with content type {kind!r}")
            reader = WindowReader(window, opened.headers)
            while data := (yield Read(self.timeout)):
                if isinstance(data, ClientError):
                    return _Dropped(data, attached=False)
                reader.feed(data)
            if data is None:
                return _Dropped(self.unanswered(self.timeout), attached=False)
            found = reader.start()
        self.log.place(max(found, self._start.offset))
        self._find_start = False
        return None

    def _events(self, source: EventSource | PlainText) -> Steps:
        log = self.log
        read = Read(self.timeout)
        while True:
            data = yield _READ_TO_SETTLE if log.undecided else read
            if data is None and log.undecided:
                log.settle()
                continue
            if not isinstance(data, bytes):
                silent = self._error(
                    ClientTimeoutError, 408, f"the agent sent nothing for {self.timeout:g} s"
                )
                complete = self._take(*source.end(cut=True))
                return complete if complete is not None else _Dropped(data or silent)
            complete = self._take(*(source.receive(data) if data else source.end(cut=False)))
            if source.too_long and complete is None:
                raise log.too_many_bytes()
            if complete is not None:
                return complete
            if not data:
                return _Dropped(
                    self._error(StreamError, 503, "the agent ended the stream while the job was running"),
                    clean=not source.cut,
                )
            if self._at_rest() and not source.inside:
                return self._rest()

    def _at_rest(self) -> bool:
        """Whether the agent lives and sends nothing more although it should, or may have no more to send.

        It should while it replays what was received before, and may when the job is over.
        """
        return (self._draining or self.log.replaying) and time.monotonic() - self._last_text > self.timeout

    def _rest(self) -> _Dropped:
        if self.log.replaying:
            return _Dropped(self._error(StreamError, 503, self.log.short_replay))
        why = "the agent keeps the stream of a job open that is over"
        return _Dropped(self._error(StreamError, 503, why), clean=True)

    def _event_source(self, opened: Opened) -> EventSource | PlainText:
        content_type = media_type(opened.headers)
        encoding = opened.headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            raise self._error(StreamError, 503, f"the agent compressed the stream ({encoding}) unasked")
        if content_type not in _EVENT_TYPES | _PLAIN_TYPES:
            raise self._error(
                ServerError,
                500,
                f"the log stream was answered with content type {content_type!r}, not text/event-stream",
                hint="something between client and agent may have answered in its place",
            )
        if content_type in _PLAIN_TYPES:
            return PlainText()
        return EventSource(max_size=self._max_size, max_dropped=self.log.limits.max_bytes)

    # --- events

    def _take(self, *batches: Batch) -> Complete | None:
        log = self.log
        log.trim()
        now = time.monotonic()
        for batch in batches:
            if batch.objects and log.take_lines(batch.objects):
                self._last_text = now
                continue
            for event in decode(batch):
                if isinstance(event, Connected) and event.offset is not None:
                    if log.unheard:
                        log.begin(event.offset)
                elif log.start is None and not isinstance(event, Failed):
                    raise _StartUnknownError
                elif isinstance(event, Connected):
                    continue
                elif isinstance(event, Text):
                    self._last_text = now
                    if event.whole is None:
                        log.message(event.text, event.offset, event.time)
                    elif event.whole:
                        log.line(event.text)
                    else:
                        log.piece(event.text)
                elif isinstance(event, Failed):
                    log.settle()
                    raise self._failed(event)
                else:
                    return event
        if not log.undecided:
            self._held_since = now
        elif now - self._last_text > _SETTLE or now - self._held_since > _SETTLE_BUSY:
            # The first is for signs of life that keep a read from ever being empty.
            log.settle()
        return None

    # --- errors

    def _failed(self, event: Failed) -> ClientError:
        message = self._connection.redact(event.message)
        if event.status_code is None:
            return self._error(WebSocketError if self.protocol == "websocket" else StreamError, 500, message)
        return self._refusal(
            Opened(event.status_code, {"content-type": "text/plain"}, message.encode(errors="replace"))
        )

    def _refusal(self, opened: Opened) -> ClientError:
        return error_from_response(
            opened.status,
            opened.headers,
            opened.body,
            operation=self.operation,
            agent=self._connection.agent,
            redact=self._connection.redact,
        )

    def _not_opened(self, error: ClientError) -> _Outcome:
        if (
            self.protocol == "websocket"
            and self._may_fall_back
            and not self._attached
            and error is not self.interruption
        ):
            return _FallBack(error)
        return _Dropped(error, attached=False)

    def _unavailable(self, why: str, cause: Exception | None = None) -> _Outcome:
        error = self._error(
            ServerError, 500, f"no WebSocket can be had: {why}", hint="protocol='http' does without one"
        )
        error.__cause__ = cause
        if self._may_fall_back:
            return _FallBack(error)
        raise error

    def _given_up(self, last: ClientError) -> ClientError:
        if not self._attached:
            return last
        if isinstance(last, ClientTimeoutError):
            kind: type[ClientError] = ClientTimeoutError
        else:
            kind = WebSocketError if self.protocol == "websocket" else StreamError
        error = self._error(
            kind,
            408 if kind is ClientTimeoutError else 503,
            f"the stream broke after {self.log.received_lines} lines and could not be resumed: {last.detail}",
            hint="the job goes on by itself; tail it again when the agent can be reached",
        )
        error.__cause__ = last
        return error

    def _error(self, kind: type[_E], status_code: int, detail: str, *, hint: str | None = None) -> _E:
        # An agent may echo what it was sent, in the reason of a close for one.
        detail = self._connection.redact(detail)
        return kind(status_code, detail, operation=self.operation, agent=self._connection.agent, hint=hint)

    def _named(self, error: _E) -> _E:
        error.operation = self.operation
        error.agent = self._connection.agent
        return error
