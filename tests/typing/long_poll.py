"""What type checkers make of long-poll handlers; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from redis.asyncio import Redis as AsyncRedis
from redis.client import Redis

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.long_poll import AsyncLongPollHandler, LongPollHandler, LongPollRequest, LongPollResponse
from synapse_sdk.long_poll.redis import AsyncRedisLongPollHandler, RedisLongPollHandler


class Handler:
    """A user's own, which need not inherit."""

    def set_request(self, request: LongPollRequest) -> str:
        assert_type(request["method"], str)
        assert_type(request["path"], str)
        assert_type(request["headers"], dict[str, str])
        assert_type(request.get("json"), Any | None)
        assert_type(request.get("params"), dict[str, str | list[str]] | None)
        return request["path"]

    def get_response(self, request_id: str, timeout_seconds: float | None = None) -> LongPollResponse:
        return {"status": 200, "reason": "OK", "data": request_id, "headers": {"Retry-After": "1"}}


class AsyncHandler:
    """A user's own, for the async client."""

    async def set_request(self, request: LongPollRequest) -> str:
        return request["path"]

    async def get_response(self, request_id: str, timeout_seconds: float | None = None) -> Mapping[str, Any]:
        return {"status": 200, "reason": "OK", "data": request_id}


def constructors(redis: Redis, async_redis: AsyncRedis) -> None:
    assert_type(RedisLongPollHandler(redis, "agent-7"), RedisLongPollHandler)
    assert_type(RedisLongPollHandler("redis://h", "a", prefix="p", request_ttl=60), RedisLongPollHandler)
    assert_type(AsyncRedisLongPollHandler(async_redis, "agent-7"), AsyncRedisLongPollHandler)
    assert_type(AsyncRedisLongPollHandler("redis://h", "a"), AsyncRedisLongPollHandler)


def clients(handler: RedisLongPollHandler, async_handler: AsyncRedisLongPollHandler) -> None:
    assert_type(AgentClient(None, "t", long_poll_handler=handler), AgentClient)
    assert_type(AgentClient(None, "t", long_poll_handler=Handler()), AgentClient)
    assert_type(AsyncAgentClient(None, "t", long_poll_handler=async_handler), AsyncAgentClient)
    assert_type(AsyncAgentClient(None, "t", long_poll_handler=AsyncHandler()), AsyncAgentClient)


def protocols(handler: RedisLongPollHandler, async_handler: AsyncRedisLongPollHandler) -> None:
    sync: list[LongPollHandler] = [handler, Handler()]
    other: list[AsyncLongPollHandler] = [async_handler, AsyncHandler()]
    assert_type(sync[0].set_request({"method": "get", "path": "health/", "headers": {}}), str)
    print(sync, other)
