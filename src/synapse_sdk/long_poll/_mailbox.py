"""Where in Redis requests and responses lie, and in which form."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, cast

from .._exceptions import ServerError, ValidationError
from .._validation import validate_resource_id

__all__ = ["DEFAULT_PREFIX", "Mailbox", "checked_ttl", "opened", "redis_library"]

DEFAULT_PREFIX = "synapse:long-poll"
_MAX_TTL = 86_400
_SOCKET_TIMEOUT = 15.0
_CONNECT_TIMEOUT = 5.0


class Mailbox:
    """The keys of one agent.

    A request lies under a key of its own, which expires; the list says which are new. So a request that
    nobody waits for any more is gone, however late the agent looks. A response lies in a list of one, which
    can be waited for.

    Args:
        agent_id: Which agent; letters, digits, `-` and `_`.
        prefix: What all keys begin with.

    Raises:
        ValidationError: 400.
    """

    def __init__(self, agent_id: str, prefix: str) -> None:
        self.agent_id = validate_resource_id(agent_id, "agent")
        if not isinstance(prefix, str) or not prefix or any(c.isspace() for c in prefix):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(400, "prefix must be a string without white space")
        self._base = f"{prefix}:{agent_id}"
        self.requests = f"{self._base}:requests"

    def request(self, request_id: str) -> str:
        """The key of a request."""
        return f"{self._base}:request:{request_id}"

    def response(self, request_id: str) -> str:
        """The key of its response."""
        return f"{self._base}:response:{request_id}"

    @staticmethod
    def new_id() -> str:
        """Make an id that can't be guessed."""
        return uuid.uuid4().hex

    @staticmethod
    def dump(message: Mapping[str, Any]) -> bytes:
        """Write a message."""
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    @staticmethod
    def load(text: str | bytes) -> dict[str, Any]:
        """Read a message.

        Raises:
            ValueError: It is none.
        """
        try:
            value = json.loads(text)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc
        if not isinstance(value, dict):
            raise ValueError(f"a {type(value).__name__}, no object")
        return cast("dict[str, Any]", value)


def checked_ttl(value: float, name: str) -> int:
    """Give back how long a key lives, in milliseconds.

    Raises:
        ValidationError: 400.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.001 <= value <= _MAX_TTL:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(400, f"{name} must be a number of seconds above 0 and at most {_MAX_TTL}")
    return int(value * 1000)


def redis_library() -> Any:
    """Import redis-py.

    Raises:
        ServerError: 500, it is not installed.
    """
    try:
        import redis
    except ImportError as exc:
        raise ServerError(
            500, "long polls over Redis need redis-py", hint="pip install 'synapse-sdk[redis]'"
        ) from exc
    return redis


def opened(kind: Any, given: object) -> Any:
    """Give back a Redis client for what was given: its URL, or itself.

    Raises:
        ValidationError: 400.
    """
    if isinstance(given, kind):
        return given
    if not isinstance(given, str):
        raise ValidationError(
            400, f"redis must be a URL or a {kind.__module__.partition('.client')[0]}.Redis"
        )
    try:
        return kind.from_url(given, socket_timeout=_SOCKET_TIMEOUT, socket_connect_timeout=_CONNECT_TIMEOUT)
    except ValueError:
        # Its text may repeat the URL, with a password in it.
        raise ValidationError(
            400, "redis must be the URL of a Redis server", hint="such as redis://localhost:6379/0"
        ) from None
