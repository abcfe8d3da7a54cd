"""The requests that the fake agent has received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CREDENTIALS", "RecordedRequest"]

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "synapse-user", "synapse-tenant", "cookie"})


@dataclass(frozen=True)
class RecordedRequest:
    """A request that the fake agent has received.

    Attributes:
        method: In capitals, such as "GET".
        path: Below the agent's URL, decoded, without the query: "/jobs/train/".
        operation: The client's method that sends such a request, "get_job" for one; for log streams
            "websocket_tail_job_logs" or "stream_tail_job_logs"; None if the agent has no such path.
        query: The query's parameters by name.
        headers: The headers by their name in lower case. Credentials are there as "***".
        content: The body.

    Example:
        >>> with FakeAgent() as agent:
        ...     policy = agent.client().update_runtime_policy(max_concurrent_jobs=5)
        ...     agent.requests[-1].json
        {'max_concurrent_jobs': 5}
    """

    method: str
    path: str
    operation: str | None
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The decoded JSON body; None without a body.

        Raises:
            ValueError: The body is not JSON.
        """
        return json.loads(self.content) if self.content else None
