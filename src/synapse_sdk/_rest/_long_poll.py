"""Transports of httpx that send requests through a long-poll handler."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import httpx

from .._exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    ServerError,
    ValidationError,
)
from .._redaction import sanitize_error_message

if TYPE_CHECKING:
    from ..long_poll import AsyncLongPollHandler, LongPollHandler, LongPollRequest

__all__ = ["AsyncLongPollTransport", "LongPollTransport", "refuse_http_options"]

# Headers that describe a message on its connection; there is no connection.
_CONNECTION = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "te", "transfer-encoding", "upgrade"}
)
_EMPTY = frozenset({204, 205, 304})


class LongPollTransport(httpx.BaseTransport):
    """Sends requests through a handler.

    Raises:
        ValidationError: 400, `handler` has not the methods of one.
    """

    def __init__(self, handler: LongPollHandler) -> None:
        _check(handler)
        self._handler = handler

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for its response."""
        message = _message(request)
        seconds = _seconds(request)
        try:
            request_id = _result(self._handler.set_request(message))
            answer = _result(self._handler.get_response(request_id, timeout_seconds=seconds))
        except Exception as exc:
            raise _failure(exc, seconds) from exc
        return _response(answer)


class AsyncLongPollTransport(httpx.AsyncBaseTransport):
    """Sends requests through an async handler.

    Raises:
        ValidationError: 400, `handler` has not the methods of one.
    """

    def __init__(self, handler: AsyncLongPollHandler) -> None:
        _check(handler)
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for its response."""
        message = _message(request)
        seconds = _seconds(request)
        try:
            request_id = await _awaitable(self._handler.set_request(message))
            answer = await _awaitable(self._handler.get_response(request_id, timeout_seconds=seconds))
        except Exception as exc:
            raise _failure(exc, seconds) from exc
        return _response(answer)


def refuse_http_options(verify: object, proxy: object, http_client: object) -> None:
    """Refuse options that have no effect without HTTP.

    Raises:
        ValidationError: 400, one of them is set.
    """
    if http_client is not None or verify is not True or proxy is not None:
        raise ValidationError(400, "http_client, verify and proxy have no effect with a long_poll_handler")


def _check(handler: object) -> None:
    for name in ("set_request", "get_response"):
        if not callable(getattr(handler, name, None)):
            raise ValidationError(
                400, f"long_poll_handler must have the method {name}; a {type(handler).__name__} has none"
            )


def _result(value: Any) -> Any:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            # Otherwise Python warns that it was never awaited.
            value.close()
        raise ValidationError(400, "long_poll_handler is async", hint="it is for AsyncAgentClient")
    return value


def _awaitable(value: Any) -> Any:
    if not inspect.isawaitable(value):
        raise ValidationError(
            400, "long_poll_handler of an AsyncAgentClient must have async methods", hint="async def"
        )
    return value


def _message(request: httpx.Request) -> LongPollRequest:
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        raise ValidationError(400, "a long-poll handler can't carry files")
    message: LongPollRequest = {
        "method": request.method.lower(),
        "path": request.url.raw_path.partition(b"?")[0].decode("ascii").removeprefix("/"),
        # The raw names, because the other end may compare their case.
        "headers": {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers.raw
            if name.decode("latin-1").lower() not in _CONNECTION
        },
    }
    params: dict[str, str | list[str]] = {}
    for name, value in request.url.params.multi_items():
        before = params.get(name)
        params[name] = (
            value if before is None else [*([before] if isinstance(before, str) else before), value]
        )
    if params:
        message["params"] = params
    if request.content:
        if kind.partition(";")[0] == "application/json":
            message["json"] = json.loads(request.content)
        else:
            try:
                message["data"] = request.content.decode()
            except UnicodeDecodeError as exc:
                raise ValidationError(
                    400, "a long-poll handler carries JSON and text, no other bytes"
                ) from exc
    return message


def _seconds(request: httpx.Request) -> float | None:
    timeout: Mapping[str, float | None] = request.extensions.get("timeout", {})
    return timeout.get("read")


def _failure(exc: Exception, seconds: float | None) -> ClientError:
    if isinstance(exc, ClientError):
        return exc
    if isinstance(exc, TimeoutError):
        within = "in time" if seconds is None else f"within {seconds:g} s"
        # There is no retry, because the agent may still fetch this request.
        return ClientTimeoutError(
            408,
            f"no answer through the long-poll handler {within}",
            hint="does the agent ask for requests? timeout={'read': ...} gives it longer",
        )
    words = sanitize_error_message(exc)
    return ClientConnectionError(503, f"the long-poll handler failed: {type(exc).__name__}: {words}")


def _response(answer: object) -> httpx.Response:
    if not isinstance(answer, Mapping):
        raise _unusable(f"a {type(answer).__name__}")
    raw = cast("Mapping[str, Any]", answer)
    status, data = raw.get("status"), raw.get("data")
    # A 1xx is not a final response.
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise _unusable("no HTTP status")
    try:
        # Lengths and encodings describe the original body.
        given = httpx.Headers(raw.get("headers") or {})
        headers = {
            name: value for name, value in given.items() if name not in _CONNECTION | {"content-encoding"}
        }
    except (TypeError, ValueError, AttributeError) as exc:
        raise _unusable("impossible headers") from exc
    kind = headers.get("content-type", "application/json")
    if status in _EMPTY and data in (None, ""):
        content = b""
    elif isinstance(data, bytes):
        content = data
    elif isinstance(data, str) and "json" not in kind:
        content, headers["content-type"] = data.encode("utf-8", "replace"), _utf8(kind)
    else:
        try:
            content = json.dumps(data).encode()
        except (TypeError, ValueError, RecursionError) as exc:
            raise _unusable("data that is not JSON") from exc
        headers["content-type"] = "application/json"
    reason = raw.get("reason")
    extensions = {"reason_phrase": reason.encode("ascii", "replace")} if isinstance(reason, str) else {}
    return httpx.Response(status, headers=headers, content=content, extensions=extensions)


def _utf8(kind: str) -> str:
    return f"{kind.partition(';')[0]}; charset=utf-8"


def _unusable(what: str) -> ClientError:
    return ServerError(500, f"the long-poll handler's response can't be used: it has or is {what}")
