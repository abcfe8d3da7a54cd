"""Long polls over Redis for the sync and the async client (extra `redis`; needs a server of version 6.2).

The agent's side is `python -m synapse_sdk.long_poll.worker`. The requests in Redis contain credentials, so
Redis must be as trustworthy as a network between client and agent.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ._mailbox import DEFAULT_PREFIX, Mailbox, checked_ttl, opened, redis_library

if TYPE_CHECKING:
    from redis.asyncio import Redis as AsyncRedis

    # Not from redis itself: pyright --verifytypes takes that for this file.
    from redis.client import Redis

    from . import LongPollRequest

__all__ = ["AsyncRedisLongPollHandler", "RedisLongPollHandler"]

# Seconds of one wait for a response; a lost server is noticed after each.
_SLICE = 5.0


class RedisLongPollHandler:
    """Carries requests to an agent through Redis, for `AgentClient`.

    Args:
        redis: URL of the Redis server, such as `redis://localhost:6379/0` or `unix:///run/redis.sock`; or a
            ready `redis.Redis`, which stays open and must not have a `socket_timeout` below 6 seconds.
        agent_id: Id of the agent, the same as its worker's; at most 100 letters, digits, `-` and `_`.
        prefix: Beginning of the keys in Redis.
        request_ttl: Seconds after which a request that the agent has not fetched is dropped; also the default
            for how long `get_response` waits.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.
        ServerError: 500, redis-py is not installed.

    Example:
        >>> handler = RedisLongPollHandler("redis://localhost:6379/0", "agent-7")  # doctest: +SKIP
        >>> with AgentClient(None, "token", long_poll_handler=handler) as client:  # doctest: +SKIP
        ...     client.list_jobs()
    """

    def __init__(
        self,
        redis: str | Redis,
        agent_id: str,
        *,
        prefix: str = DEFAULT_PREFIX,
        request_ttl: float = 300.0,
    ) -> None:
        self._mailbox = Mailbox(agent_id, prefix)
        self._ttl = checked_ttl(request_ttl, "request_ttl")
        self._owned = isinstance(redis, str)
        self._redis: Any = opened(redis_library().Redis, redis)

    def set_request(self, request: LongPollRequest) -> str:
        """Store a request for the agent, and return its id."""
        request_id = self._mailbox.new_id()
        self._mailbox.add(self._redis.pipeline(), request_id, request, self._ttl).execute()
        return request_id

    def get_response(self, request_id: str, timeout_seconds: float | None = None) -> dict[str, Any]:
        """Wait for the response to a request.

        Raises:
            TimeoutError: No response within `timeout_seconds`; the agent does not get the request any more.
        """
        key = self._mailbox.response(request_id)
        end = time.monotonic() + (self._ttl / 1000 if timeout_seconds is None else timeout_seconds)
        while (left := end - time.monotonic()) > 0:
            popped = self._redis.blpop([key], timeout=_slice(left))
            if popped is not None:
                return self._mailbox.load(popped[1])
        self._redis.delete(self._mailbox.request(request_id))
        raise TimeoutError("no response in time")

    def close(self) -> None:
        """Close the connections to Redis, unless a client was passed in. Closing twice is allowed."""
        if self._owned:
            self._redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Without the URL of the server, which may contain a password.
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._mailbox.agent_id}>"


class AsyncRedisLongPollHandler:
    """Carries requests to an agent through Redis, for `AsyncAgentClient` on asyncio, which redis-py needs.

    Args:
        redis: URL of the Redis server, such as `redis://localhost:6379/0` or `unix:///run/redis.sock`; or a
            ready `redis.asyncio.Redis`, which stays open and must not have a `socket_timeout` below 6
            seconds.
        agent_id: Id of the agent, the same as its worker's; at most 100 letters, digits, `-` and `_`.
        prefix: Beginning of the keys in Redis.
        request_ttl: Seconds after which a request that the agent has not fetched is dropped; also the default
            for how long `get_response` waits.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.
        ServerError: 500, redis-py is not installed.

    Example:
        >>> handler = AsyncRedisLongPollHandler("redis://localhost:6379/0", "agent-7")  # doctest: +SKIP
        >>> async with AsyncAgentClient(None, "token", long_poll_handler=handler) as client:  # doctest: +SKIP
        ...     await client.list_jobs()
    """

    def __init__(
        self,
        redis: str | AsyncRedis,
        agent_id: str,
        *,
        prefix: str = DEFAULT_PREFIX,
        request_ttl: float = 300.0,
    ) -> None:
        self._mailbox = Mailbox(agent_id, prefix)
        self._ttl = checked_ttl(request_ttl, "request_ttl")
        self._owned = isinstance(redis, str)
        redis_library()
        from redis.asyncio import Redis

        self._redis: Any = opened(Redis, redis)

    async def set_request(self, request: LongPollRequest) -> str:
        """Store a request for the agent, and return its id."""
        request_id = self._mailbox.new_id()
        await self._mailbox.add(self._redis.pipeline(), request_id, request, self._ttl).execute()
        return request_id

    async def get_response(self, request_id: str, timeout_seconds: float | None = None) -> dict[str, Any]:
        """Wait for the response to a request.

        Raises:
            TimeoutError: No response within `timeout_seconds`; the agent does not get the request any more.
        """
        key = self._mailbox.response(request_id)
        end = time.monotonic() + (self._ttl / 1000 if timeout_seconds is None else timeout_seconds)
        while (left := end - time.monotonic()) > 0:
            popped = await self._redis.blpop([key], timeout=_slice(left))
            if popped is not None:
                return self._mailbox.load(popped[1])
        await self._redis.delete(self._mailbox.request(request_id))
        raise TimeoutError("no response in time")

    async def close(self) -> None:
        """Close the connections to Redis, unless a client was passed in. Closing twice is allowed."""
        if self._owned:
            await self._redis.aclose()

    async def aclose(self) -> None:
        """Close the connections, as `close` does."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # Without the URL of the server, which may contain a password.
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._mailbox.agent_id}>"


def _slice(left: float) -> float:
    # Redis counts in milliseconds, and waits for ever with 0.
    return max(min(left, _SLICE), 0.001)
