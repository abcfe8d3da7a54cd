"""The responses of the fake agent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from synapse_agent_api.types import encode

__all__ = ["ApiError", "Deferred", "Reply"]


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def json(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
        content = json.dumps(encode(value)).encode()
        return cls(status, content, {"content-type": "application/json"} | dict(headers or {}))


@dataclass(frozen=True)
class Deferred:
    """A response that the test's code makes; it may block or call the agent."""

    status: int
    make: Callable[[], object]


class ApiError(Exception):
    """Responds with an error."""

    def __init__(self, status: int, detail: object, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, object] = {"detail": detail}
        self.headers = headers

    @classmethod
    def typed(cls, status: int, message: str, error_type: str) -> ApiError:
        """Return an error with an `error_type`."""
        error = cls(status, message)
        error.body = {"message": message, "error_type": error_type}
        return error

    @classmethod
    def fields(cls, errors: Iterable[Mapping[str, object]]) -> ApiError:
        """Return a 422 with an entry for each wrong field."""
        return cls(422, list(errors))

    def reply(self) -> Reply:
        return Reply.json(self.status, self.body, self.headers)
