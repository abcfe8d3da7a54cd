"""Long polls, for agents that can't be connected to: requests wait until the agent fetches them.

`AgentClient(None, token, long_poll_handler=handler)` sends every request through a handler instead of HTTP.
A handler over Redis is in `synapse_sdk.long_poll.redis` (extra `redis`). Run
`python -m synapse_sdk.long_poll.worker` beside the agent to answer its requests. Log tails and file uploads
are not supported.

Example:
    >>> class Echo:
    ...     def set_request(self, request):
    ...         self.request = request
    ...         return "1"
    ...     def get_response(self, request_id, timeout_seconds=None):
    ...         return {"status": 200, "reason": "OK", "data": {"status": self.request["path"]}}
    >>> from synapse_sdk.clients.agent import AgentClient
    >>> with AgentClient(None, "token", long_poll_handler=Echo()) as client:
    ...     client.health_check().status
    'health/'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, Protocol, TypedDict, runtime_checkable

__all__ = ["AsyncLongPollHandler", "LongPollHandler", "LongPollRequest", "LongPollResponse"]


class LongPollRequest(TypedDict):
    """One request.

    `method` is in lower case. `path` is below the agent's URL, percent-encoded and without a leading slash,
    such as `jobs/train-42/`. `headers` include the credentials. At most one of `json` (any JSON value)
    and `data` (text) is the body; `params` is the query, with a list for a name with several values.
    """

    method: str
    path: str
    headers: dict[str, str]
    json: NotRequired[Any]
    data: NotRequired[str]
    params: NotRequired[dict[str, str | list[str]]]


class LongPollResponse(TypedDict):
    """One response.

    `data` is the decoded JSON of the body, or its text. Of the optional `headers`, `Content-Type` and
    `Retry-After` are used.
    """

    status: int
    reason: str
    data: Any
    headers: NotRequired[Mapping[str, str]]


@runtime_checkable
class LongPollHandler(Protocol):
    """Carries requests to an agent and its responses back; used from several threads at once."""

    def set_request(self, request: LongPollRequest) -> str:
        """Store a request for the agent.

        Args:
            request: The request.

        Returns:
            An id, with which `get_response` finds the response.
        """
        ...

    def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Mapping[str, Any]:
        """Wait for the response to a request.

        Args:
            request_id: The id from `set_request`.
            timeout_seconds: Seconds to wait; with None the handler decides.

        Returns:
            A `LongPollResponse`.

        Raises:
            TimeoutError: There was no response in time.
        """
        ...


@runtime_checkable
class AsyncLongPollHandler(Protocol):
    """Carries requests to an agent and its responses back; used from several tasks at once."""

    async def set_request(self, request: LongPollRequest) -> str:
        """Store a request for the agent.

        Args:
            request: The request.

        Returns:
            An id, with which `get_response` finds the response.
        """
        ...

    async def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Mapping[str, Any]:
        """Wait for the response to a request.

        Args:
            request_id: The id from `set_request`.
            timeout_seconds: Seconds to wait; with None the handler decides.

        Returns:
            A `LongPollResponse`.

        Raises:
            TimeoutError: There was no response in time.
        """
        ...
