"""The keys and the format of requests and responses in Redis."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from .._exceptions import ServerError, ValidationError
from .._validation import validate_resource_id

__all__ = ["DEFAULT_PREFIX", "Mailbox", "checked_ttl", "opened", "redis_library"]

DEFAULT_PREFIX = "synapse:long-poll"
_MAX_TTL = 86_400
# Bytes of one message; the agent's own answers have 32 MiB at most, which JSON in JSON can double.
_MAX_MESSAGE = 64 * 1024 * 1024
_ID = re.compile(r"[0-9a-f]{32}\Z")
# A pipeline of commands could only overwrite the time to live, and so shorten it.
_EXTEND = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
"""
_SOCKET_TIMEOUT = 15.0
_CONNECT_TIMEOUT = 5.0


class Mailbox:
    """The keys of one agent.

    Each request has a key of its own, which expires, and a list holds the ids of new requests. So a request
    that is no longer waited for is gone, however late the agent looks. A response is a list with one element,
    because Redis can wait for lists.

    Args:
        agent_id: Id of the agent; letters, digits, `-` and `_`.
        prefix: Beginning of all keys.

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
        """Return the key of a request."""
        return f"{self._base}:request:{request_id}"

    def response(self, request_id: str) -> str:
        """Return the key of a response."""
        return f"{self._base}:response:{request_id}"

    @staticmethod
    def new_id() -> str:
        """Return a new id that can't be guessed."""
        return uuid.uuid4().hex

    @staticmethod
    def read_id(raw: str | bytes) -> str | None:
        """Return an id from the list of requests; None for anything else that somebody put there."""
        text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else raw
        return text if _ID.match(text) else None

    def add(self, pipeline: Any, request_id: str, request: Mapping[str, Any], ttl: int) -> Any:
        """Queue the commands that leave a request for `ttl` milliseconds, and return the pipeline."""
        pipeline.set(self.request(request_id), self.dump(request), px=ttl)
        pipeline.rpush(self.requests, request_id)
        # The list lives as long as the request that expires last.
        pipeline.eval(_EXTEND, 1, self.requests, ttl)
        return pipeline

    def take(self, pipeline: Any, request_id: str) -> bytes | str | None:
        """Remove a request and return its text, of which at most one byte too much is read."""
        key = self.request(request_id)
        text, _ = pipeline.getrange(key, 0, _MAX_MESSAGE).delete(key).execute()
        return text or None

    @staticmethod
    def dump(message: Mapping[str, Any]) -> bytes:
        """Encode a message."""
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    @staticmethod
    def load(text: str | bytes) -> dict[str, Any]:
        """Decode a message.

        Raises:
            ValueError: It is not a JSON object.
        """
        if len(text) > _MAX_MESSAGE:
            raise ValueError(f"more than {_MAX_MESSAGE} bytes")
        try:
            value = json.loads(text)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc
        if not isinstance(value, dict):
            raise ValueError(f"a {type(value).__name__}, not an object")
        return cast("dict[str, Any]", value)


def checked_ttl(value: float, name: str) -> int:
    """Return the lifetime of a key in milliseconds.

    Raises:
        ValidationError: 400, it is out of range.
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
    """Return a Redis client: the given one, or a new one for the given URL.

    Raises:
        ValidationError: 400, it is neither.
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
        # The text of the exception may contain the URL with its password.
        raise ValidationError(
            400, "redis must be the URL of a Redis server", hint="such as redis://localhost:6379/0"
        ) from None
