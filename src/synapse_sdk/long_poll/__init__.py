"""Agents that can't be connected to: requests wait until such an agent asks for them.

`AgentClient(None, token, long_poll_handler=handler)` sends every request through a handler in place of HTTP.
A handler over Redis is in `synapse_sdk.long_poll.redis` (extra `redis`), and what answers it beside the agent
is `python -m synapse_sdk.long_poll.worker`. Log tails and files can't go this way.

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
    such as `jobs/train-42/`. `headers` have the credentials in them. At most one of `json` (any JSON value)
    and `data` (text) is the body; `params` is the query, with a list where a name has several values.
    """

    method: str
    path: str
    headers: dict[str, str]
    json: NotRequired[Any]
    data: NotRequired[str]
    params: NotRequired[dict[str, str | list[str]]]


class LongPollResponse(TypedDict):
    """One response.

    `data` is what the body's JSON says, or its text. `headers`, where they are there, are those of the
    answer; `Content-Type` and `Retry-After` are understood.
    """

    status: int
    reason: str
    data: Any
    headers: NotRequired[Mapping[str, str]]


@runtime_checkable
class LongPollHandler(Protocol):
    """Brings requests to an agent and responses back; used from several threads at once."""

    def set_request(self, request: LongPollRequest) -> str:
        """Leave a request for the agent.

        Args:
            request: What to ask.

        Returns:
            The id to get the response by.
        """
        ...

    def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Mapping[str, Any]:
        """Wait for the response to a request.

        Args:
            request_id: What `set_request` returned.
            timeout_seconds: How long to wait; None is as long as the handler sees fit.

        Returns:
            A `LongPollResponse`.

        Raises:
            TimeoutError: Nothing came.
        """
        ...


@runtime_checkable
class AsyncLongPollHandler(Protocol):
    """Brings requests to an agent and responses back; used from several tasks at once."""

    async def set_request(self, request: LongPollRequest) -> str:
        """Leave a request for the agent.

        Args:
            request: What to ask.

        Returns:
            The id to get the response by.
        """
        ...

    async def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Mapping[str, Any]:
        """Wait for the response to a request.

        Args:
            request_id: What `set_request` returned.
            timeout_seconds: How long to wait; None is as long as the handler sees fit.

        Returns:
            A `LongPollResponse`.

        Raises:
            TimeoutError: Nothing came.
        """
        ...
