"""Errors of the clients: every failure is a `ClientError`.

* ClientError
  x ClientConnectionError           503: the agent can't be reached, or the client is closed
  x ClientTimeoutError              408: no connection, or no response, in time
  x HTTPError                       the agent (or a proxy before it) responded with an error
    + AuthenticationError           401: the token was refused
    + AuthorizationError            403: the token does not permit this
    + NotFoundError                 404
    + ValidationError               400, 422: a parameter or a body was refused, here or by the agent
    + RateLimitError                429: too many requests
    + ServerError                   5xx, and a success with an invalid body
    + GpuUnavailableError           503 with `error_type: gpu_unavailable`
  x StreamError                     503: a log stream failed
    + StreamLimitExceededError      429: a limit of `StreamLimits` was reached
    + WebSocketError                503: the WebSocket failed

Other error statuses (409, 413, ...) raise a plain `HTTPError`. An exception of httpx or another library is
the `__cause__`. Errors can be pickled and copied.

Example:
    >>> from synapse_sdk.clients.exceptions import ClientError, NotFoundError
    >>> try:
    ...     raise NotFoundError(404, "no such job", operation="get job", agent="http://localhost:8000/")
    ... except ClientError as error:
    ...     print(error)
    get job at http://localhost:8000/: 404 no such job
"""

from __future__ import annotations

# typing.get_type_hints resolves the annotations of the classes here.
from typing import Any  # noqa: F401 # pyright: ignore[reportUnusedImport]

from .._exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    FieldError,
    GpuUnavailableError,
    HTTPError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StreamError,
    StreamLimitExceededError,
    ValidationError,
    WebSocketError,
)

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
