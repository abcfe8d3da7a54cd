"""The exceptions that `synapse_sdk.clients.exceptions` publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "ClientConnectionError",
    "ClientError",
    "ClientTimeoutError",
    "FieldError",
    "GpuUnavailableError",
    "HTTPError",
    "NotFoundError",
    "RateLimitError",
    "ServerError",
    "StreamError",
    "StreamLimitExceededError",
    "ValidationError",
    "WebSocketError",
]

_MAX_TEXT = 1_000
_MAX_FIELDS = 5


class FieldError(TypedDict):
    """One refused field of a request body, as a 422 lists it.

    `loc` is the path to the field (`["body", "params", "epochs"]`), `msg` describes the error, `type` is its
    identifier and `input` the refused value (`None` if the agent does not return it).
    """

    loc: list[str | int]
    msg: str
    type: str
    input: Any


class ClientError(Exception):
    """Any failure of a client.

    Args:
        status_code: HTTP status of the response, or the one that describes the failure if there was none.
        detail: Description of the failure: a text, or the list of field errors or object from the agent.
        operation: The operation in words, such as "get job".
        agent: Base URL of the agent.
        hint: What to do next.
        retry_after: Seconds to wait before the next request, if the agent sent them.
        request_id: The response's `X-Request-ID`, which is in the agent's log too.

    Example:
        >>> error = ClientError(503, "connection refused", operation="list jobs", hint="is it running?")
        >>> error.status_code, str(error)
        (503, 'list jobs: 503 connection refused (is it running?)')
    """

    status_code: int
    detail: Any
    operation: str | None
    agent: str | None
    hint: str | None
    retry_after: float | None
    request_id: str | None
    body: Any = None
    """The whole JSON body of the error response, else `None`."""

    def __init__(
        self,
        status_code: int,
        detail: Any = "",
        *,
        operation: str | None = None,
        agent: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        # With these args, and the rest in __dict__, the default __reduce__ can pickle and copy the error.
        super().__init__(status_code, detail)
        self.status_code = status_code
        self.detail = detail
        self.operation = operation
        self.agent = agent
        self.hint = hint
        self.retry_after = retry_after
        self.request_id = request_id

    def __str__(self) -> str:
        where = " at ".join(part for part in (self.operation, self.agent) if part)
        what = f"{self.status_code} {_one_line(_in_words(self.detail))}".rstrip()
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}: {what}{hint}" if where else f"{what}{hint}"


class ClientConnectionError(ClientError):
    """The agent can't be reached, or the connection broke (503); also the use of a closed client."""


class ClientTimeoutError(ClientError):
    """No connection, or no answer, within the timeout (408)."""


class HTTPError(ClientError):
    """The agent responded with an error status, or would have."""


class AuthenticationError(HTTPError):
    """The token was refused, or the callable that returns it failed (401)."""


class AuthorizationError(HTTPError):
    """The token does not permit this (403)."""


class NotFoundError(HTTPError):
    """The resource, or the route at this base URL, does not exist (404)."""


class ValidationError(HTTPError):
    """A parameter (400) or a body (422) was refused.

    A 400 from the client itself is raised before a request is sent.

    Example:
        >>> error = ValidationError(422, [{"loc": ["body", "action"], "msg": "Field required"}])
        >>> error.field_errors[0]["msg"]
        'Field required'
    """

    @property
    def field_errors(self) -> list[FieldError]:
        """The refused fields; empty if the agent named none."""
        return _field_errors(self.detail)


class RateLimitError(HTTPError):
    """Too many requests (429); `retry_after` is the number of seconds to wait, if the agent sent it."""


class ServerError(HTTPError):
    """The agent failed (5xx), a required library is missing (500), or the body of a success is invalid."""


class GpuUnavailableError(HTTPError):
    """The agent has no usable GPU (503)."""


class StreamError(ClientError):
    """A log stream failed, or can't continue without losing or repeating lines (503)."""


class StreamLimitExceededError(StreamError):
    """A limit of `StreamLimits` was reached (429); all lines within it were delivered."""


class WebSocketError(StreamError):
    """The WebSocket of a log stream failed (503)."""


def _field_errors(detail: object) -> list[FieldError]:
    if not isinstance(detail, list):
        return []
    errors: list[FieldError] = []
    for entry in cast("list[object]", detail):
        if isinstance(entry, Mapping):
            raw = cast("Mapping[str, Any]", entry)
            loc = raw.get("loc")
            errors.append(
                {
                    "loc": list(cast("Sequence[str | int]", loc)) if isinstance(loc, (list, tuple)) else [],
                    "msg": str(raw.get("msg") or raw.get("message") or ""),
                    "type": str(raw.get("type") or ""),
                    "input": raw.get("input"),
                }
            )
        else:
            errors.append({"loc": [], "msg": str(entry), "type": "", "input": None})
    return errors


def _in_words(detail: object) -> str:
    if isinstance(detail, str):
        return detail
    if detail is None:
        return ""
    if isinstance(detail, list):
        fields = _field_errors(cast("list[object]", detail))
        # Without the refused input, which may be long or secret.
        words = [
            ": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in fields[:_MAX_FIELDS]
        ]
        if len(fields) > _MAX_FIELDS:
            words.append(f"and {len(fields) - _MAX_FIELDS} more")
        return "; ".join(words)
    if isinstance(detail, Mapping):
        raw = cast("Mapping[str, object]", detail)
        for key in ("message", "detail", "msg", "error"):
            if isinstance(raw.get(key), str):
                return str(raw[key])
        return "; ".join(f"{key}: {_flat(value)}" for key, value in list(raw.items())[:_MAX_FIELDS])
    return str(detail)


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in cast("list[object]", value)[:_MAX_FIELDS])
    return str(value)


def _one_line(text: str) -> str:
    """Return a text without line breaks and terminal escapes, and of limited length."""
    if len(text) > _MAX_TEXT:
        text = text[: _MAX_TEXT - 1] + "…"
    if text.isprintable():
        return text.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# Tracebacks and pickles name the public module.
for _name in __all__:
    globals()[_name].__module__ = "synapse_sdk.clients.exceptions"
