"""Respond to requests. No I/O."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from urllib.parse import unquote

import httpx

from . import _answers
from ._examples import example_answer
from ._faults import Fault
from ._job_record import JobRecord
from ._operations import ANSWERS, Answer, read_call, route_for
from ._recorded import CREDENTIALS, RecordedRequest
from ._reply import ApiError, Deferred, Reply
from ._state import State
from ._window import Window, read_number, read_window

__all__ = ["Attach", "Request", "answer", "receive"]

_REGISTERED = _answers.__all__  # each module there fills ANSWERS when it is imported
_STREAM_PATH = "stream/"
# Operations of which older agents ignore the query.
_WINDOWED = frozenset({"get_job_logs", "list_jobs", "list_tasks"})


@dataclass(frozen=True)
class Request:
    """A request; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> httpx.QueryParams:
        return httpx.QueryParams(self.target.partition("?")[2])

    @property
    def upgrades(self) -> bool:
        """Whether it requests a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    @property
    def wants_events(self) -> bool:
        """Whether the client understands server-sent events, and would not take an id for a log line."""
        return "text/event-stream" in self.headers.get("accept", "")


@dataclass(frozen=True)
class Attach:
    """Respond with the stream of a job's log from `offset`; bytes after `live` are live."""

    job: JobRecord
    offset: int
    live: int
    protocol: Literal["websocket", "http"]


def receive(state: State, request: Request) -> Fault | None:
    """Record a request, and return the fault that it meets, if any."""
    operation = _operation(request)
    headers = {name: "***" if name in CREDENTIALS else value for name, value in request.headers.items()}
    with state.changes:
        state.requests.append(
            RecordedRequest(
                request.method,
                unquote(request.path),
                operation,
                dict(request.query),
                headers,
                request.content,
            )
        )
        return state.faults.take(operation)


def answer(state: State, request: Request) -> Reply | Deferred | Attach:
    """Return the response to a request, under the lock."""
    with state.changes:
        try:
            _authenticate(state, request.headers.get("authorization"))
            stream = _stream(request)
            if stream is not None:
                return _attach(state, request, *stream)
            route = route_for(request.method, request.path)
            host = request.headers.get("host", "fake-agent")
            query = request.query
            if not state.windows and route.operation.id in _WINDOWED:
                query = httpx.QueryParams()
            if route.operation.id == "get_job_logs":
                read_window(query)  # raises 400, as on streams, not 422
            call = read_call(route, query, request.headers, request.content, host)
            result = _answer_for(route.operation.id)(state, call)
        except ApiError as error:
            return error.reply()
        except Exception as error:  # noqa: BLE001 - clearer than a broken connection
            return Reply.json(500, {"detail": f"the fake agent failed: {type(error).__name__}: {error}"})
        if isinstance(result, Reply | Deferred):
            return result
        (status,) = route.operation.decoders
        return Reply(status) if status == 204 else Reply.json(status, result)


def _answer_for(operation: str) -> Answer:
    if operation in ANSWERS:
        return ANSWERS[operation]
    example = example_answer(operation)
    if example is None:
        raise ApiError.typed(501, f"the fake agent has no answer to {operation}", "not_supported")
    return lambda _state, _call: example


def _operation(request: Request) -> str | None:
    stream = _stream(request)
    if stream is not None:
        return "websocket_tail_job_logs" if stream[1] == "websocket" else "stream_tail_job_logs"
    try:
        return route_for(request.method, request.path).operation.id
    except ApiError:
        return None


def _authenticate(state: State, given: str | None) -> None:
    if given is None:
        raise ApiError(401, "no credentials: send the agent's token as the Authorization header")
    scheme, _, token = given.partition(" ")
    if scheme.lower() == "bearer":
        given = token
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), state.token.encode()):
        raise ApiError(401, "the token is not this agent's")


def _stream(request: Request) -> tuple[str, Literal["websocket", "http"]] | None:
    """Return the path of the requested log and the protocol, or None for other requests."""
    if request.method != "GET":
        return None
    over_http = request.path.endswith(f"/logs/{_STREAM_PATH}")
    path = request.path.removesuffix(_STREAM_PATH) if over_http else request.path
    if not over_http and not request.upgrades:
        return None
    try:
        if route_for("GET", path).operation.id != "get_job_logs":
            return None
    except ApiError:
        return None
    return path, "http" if over_http else "websocket"


def _attach(
    state: State, request: Request, path: str, protocol: Literal["websocket", "http"]
) -> Reply | Attach:
    call = read_call(route_for("GET", path), httpx.QueryParams(), {}, b"", "")
    job = state.job(call.path["job_id"])
    if protocol == "websocket" and not state.websockets:
        # As behind a proxy that removes the upgrade: the same path returns the log so far.
        return Reply.json(200, job.text)
    last = request.headers.get("last-event-id") if protocol == "http" else None
    if last:
        window = Window(read_number({"Last-Event-ID": last}, "Last-Event-ID") or 0)
    elif state.windows:
        window = read_window(request.query)
    else:
        window = Window(read_number(request.query, "offset") or 0)
    if not state.offsets:
        window = Window()
    # Agents without windows accept an offset after the end of the log, and wait there.
    offset = window.of(job.data)[0] if state.windows else window.offset
    if protocol == "websocket" and not _is_handshake(request.headers):
        raise ApiError(400, "the request is not a WebSocket handshake")
    return Attach(job, offset, len(job.data), protocol)


def _is_handshake(headers: Mapping[str, str]) -> bool:
    checks: tuple[Callable[[], bool], ...] = (
        lambda: "upgrade" in headers.get("connection", "").lower(),
        lambda: headers.get("sec-websocket-version", "") == "13",
        lambda: bool(headers.get("sec-websocket-key", "")),
    )
    return all(check() for check in checks)
