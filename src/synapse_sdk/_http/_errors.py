"""Make a `ClientError` of an error response, or of an exception of httpx."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from .._exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    GpuUnavailableError,
    HTTPError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from .._family import chain, is_a, is_certificate_failure, is_network_error
from .._redaction import sanitize_error_message
from .._retry import parse_retry_after

if TYPE_CHECKING:
    import httpx

__all__ = [
    "PROXY_NOTE",
    "error_from_exception",
    "error_from_response",
    "excerpt",
    "is_json_type",
    "media_type",
]

_CLASSES: dict[int, type[ClientError]] = {
    400: ValidationError,
    401: AuthenticationError,
    403: AuthorizationError,
    404: NotFoundError,
    408: ClientTimeoutError,
    422: ValidationError,
    429: RateLimitError,
}
_EXCERPT = 200
PROXY_NOTE = "through the proxy "
"""The beginning of the note with which a transport adds its proxy to an exception."""


def error_from_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    operation: str,
    agent: str,
    redact: Callable[[str], str] | None = None,
) -> ClientError:
    """Return the error for a response with an error status.

    Args:
        status: HTTP status of the response.
        headers: Its headers; names are looked up in lower case.
        body: Its body, decompressed and possibly cut off.
        operation: The operation in words, such as "get job".
        agent: Base URL of the agent.
        redact: Removes known secrets from a text, because agents may echo them (`ClientConfig.redact`).
    """
    parsed, is_json = _parsed(body)
    if is_json and redact is not None:
        parsed = _redacted(parsed, redact)
    detail: Any = _detail_of(parsed) if is_json else excerpt(body, headers, redact)
    if detail in ("", None, [], {}):
        detail = _phrase(status)
    kind = _CLASSES.get(status, ServerError if status >= 500 else HTTPError)
    if is_json and _error_type(parsed) == "gpu_unavailable":
        kind = GpuUnavailableError
    retry_after = parse_retry_after(headers.get("retry-after"))
    error = kind(
        status,
        detail,
        operation=operation,
        agent=agent,
        hint=_hint(status, is_json, headers, retry_after),
        retry_after=retry_after,
        request_id=_request_id(headers),
    )
    if is_json:
        error.body = parsed
    return error


def _request_id(headers: Mapping[str, str]) -> str | None:
    request_id = headers.get("x-request-id", "")
    return request_id if 0 < len(request_id) <= 128 and request_id.isprintable() else None


def error_from_exception(exc: Exception, *, operation: str, agent: str) -> ClientError:
    """Return the error for an exception of httpx or a layer below; the caller raises it `from exc`.

    A `ClientError` is returned unchanged.
    """
    if isinstance(exc, ClientError):
        return exc
    # On trio the outer exceptions of a failed handshake have no text.
    text = next((text for text in map(str, chain(exc)) if text), type(exc).__name__)
    words = sanitize_error_message(text)

    proxy = _proxy_of(exc)
    through = f" {PROXY_NOTE}{proxy}" if proxy else ""
    reachable = "is the agent running and reachable?"
    longer_read = "timeout={'read': ...} gives the agent longer"
    if proxy:
        reachable = "is the proxy running and reachable? NO_PROXY names hosts that need no proxy"
        longer_read = f"{reachable}; timeout={{'read': ...}} gives it longer"

    def error(kind: type[ClientError], status: int, detail: str, hint: str | None = None) -> ClientError:
        return kind(status, detail, operation=operation, agent=agent, hint=hint)

    timed_out, broken = partial(error, ClientTimeoutError, 408), partial(error, ClientConnectionError, 503)
    failed = partial(error, ServerError, 500)

    if is_a(exc, "HTTPStatusError"):
        # An event hook of an injected client raises it.
        response: httpx.Response = cast("httpx.HTTPStatusError", exc).response
        body = response.content if response.is_closed and response.is_stream_consumed else b""
        return error_from_response(
            response.status_code, response.headers, body, operation=operation, agent=agent
        )
    if is_a(exc, "ConnectTimeout"):
        hint = f"{reachable}; timeout={{'connect': ...}} gives it longer"
        return timed_out(f"no connection{through}{_within(exc, 'connect')}", hint)
    if is_a(exc, "PoolTimeout"):
        hint = "the injected http_client allows too few connections"
        return timed_out(f"no free connection{_within(exc, 'pool')}", hint)
    if is_a(exc, "WriteTimeout"):
        return timed_out(f"the request could not be sent{_within(exc, 'write')}")
    if is_a(exc, "TimeoutException"):
        return timed_out(f"no answer{through}{_within(exc, 'read')}", longer_read)
    if isinstance(exc, TimeoutError):
        return timed_out(words if str(exc) else "timed out")
    if is_a(exc, "InvalidURL", "UnsupportedProtocol"):
        return error(ValidationError, 400, words)
    if isinstance(exc, UnicodeError) and not isinstance(exc, (UnicodeEncodeError, UnicodeDecodeError)):
        # httpx decodes the host of a redirect even if it does not follow it.
        return failed(f"redirected to a host that can't be read: {words}")
    if is_a(exc, "DecodingError"):
        return failed(f"the answer can't be decompressed: {words}")
    if is_a(exc, "ProxyError"):
        shown = f"the proxy {proxy}" if proxy else "the proxy"
        return broken(f"{shown} failed: {words}", "check the proxy settings")
    if is_certificate_failure(exc):
        hint = "verify='/path/to/ca.pem' trusts a private certificate authority"
        return broken(f"the agent's certificate was refused: {words}", hint)
    if is_a(exc, "ConnectError"):
        return broken(f"can't connect{through}: {words}", reachable)
    if is_a(exc, "TransportError") or isinstance(exc, (OSError, EOFError)) or is_network_error(exc):
        return broken(f"the connection{through} broke: {words}")
    if isinstance(exc, RuntimeError) and "has been closed" in str(exc):
        return broken("the HTTP client is closed")
    if isinstance(exc, RuntimeError) and "shutdown" in str(exc):
        hint = "do this before the program ends, or with AgentClient and tail_job_logs, which need no thread"
        return failed(f"the interpreter is shutting down: {words}", hint)
    if isinstance(exc, RuntimeError) and "new thread" in str(exc):
        return failed(words, "raise the limit of processes, see ulimit -u")
    if isinstance(exc, RecursionError):
        return failed("nested too deeply")
    return failed(f"{type(exc).__name__}: {words}")


def excerpt(body: bytes, headers: Mapping[str, str], redact: Callable[[str], str] | None = None) -> str:
    """Return the beginning of a body as one line without secrets."""
    text = body[: 8 * _EXCERPT].decode("utf-8", "replace")
    if redact is not None:
        text = redact(text)
    kind = media_type(headers)
    if kind == "text/html" or text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        text = _html_words(text)
        kind = "HTML"
    else:
        kind = ""
    text = sanitize_error_message(text)
    if len(text) > _EXCERPT:
        text = text[: _EXCERPT - 1] + "…"
    return f"{kind}: {text}".rstrip(": ") if kind else text


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type in lower case without its parameters; empty if there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json_type(media_type: str) -> bool:
    """Return whether a media type is JSON."""
    return media_type == "application/json" or media_type.endswith("+json")


def _html_words(text: str) -> str:
    import re

    text = re.sub(r"(?is)<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", " ", text)
    return re.sub(r"<[^>]*(>|$)", " ", text)


def _parsed(body: bytes) -> tuple[Any, bool]:
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return None, False


def _detail_of(parsed: Any) -> Any:
    if isinstance(parsed, dict):
        raw = cast("dict[str, Any]", parsed)
        for key in ("detail", "message", "error"):
            if raw.get(key):
                return raw[key]
        return raw
    return parsed


def _error_type(parsed: Any) -> Any:
    while isinstance(parsed, dict):
        raw = cast("dict[str, Any]", parsed)
        if "error_type" in raw:
            return raw["error_type"]
        parsed = raw.get("detail")
    return None


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(item, redact) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {redact(key): _redacted(item, redact) for key, item in cast("dict[str, Any]", value).items()}
    return value


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an error without a body"


def _hint(status: int, is_json: bool, headers: Mapping[str, str], retry_after: float | None) -> str | None:
    if status == 401:
        return "check agent_token"
    if status == 403:
        return "the token may not do this"
    if status == 407:
        return "a proxy before the agent wants a user name and password: put them into its URL"
    if status == 404 and not is_json:
        return "is base_url the agent's, with its path prefix?"
    if retry_after is not None:
        return f"try again in {retry_after:.0f} s"
    if not is_json and media_type(headers) == "text/html":
        return "this came from something between here and the agent"
    return None


def _proxy_of(exc: BaseException) -> str | None:
    notes: list[str] = getattr(exc, "__notes__", [])
    return next((note.removeprefix(PROXY_NOTE) for note in notes if note.startswith(PROXY_NOTE)), None)


def _within(exc: Exception, part: str) -> str:
    """Return the exceeded timeout in words; httpx keeps it with the request."""
    try:
        request = cast("httpx.TimeoutException", exc).request
        seconds = cast("dict[str, float | None]", request.extensions["timeout"])[part]
    except (RuntimeError, KeyError):
        return " in time"
    return " in time" if seconds is None else f" within {seconds:g} s"
