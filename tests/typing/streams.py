"""What type checkers make of log streams; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal, assert_type

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.streaming import AsyncLogStream, AsyncManyLogStream, LogStream, ManyLogStream, StreamEvent
from synapse_sdk.utils.network import (
    StreamLimits,
    http_to_websocket_url,
    sanitize_error_message,
    validate_resource_id,
    validate_timeout,
)


def show(event: StreamEvent) -> None:
    assert_type(
        event.kind, Literal["connected"] | Literal["fell_back", "reconnecting", "resumed"] | Literal["ended"]
    )
    assert_type(event.job_id, str)
    assert_type(event.protocol, Literal["websocket", "http"])
    assert_type(event.offset, int)
    assert_type(event.delay, float)
    assert_type(event.error, ClientError | None)
    assert_type(event.job_status, str | None)


def one(client: AgentClient) -> None:
    assert_type(client.tail_job_logs("j", 10, protocol="http", on_event=show), LogStream)
    assert_type(client.websocket_tail_job_logs("j"), LogStream)
    assert_type(client.stream_tail_job_logs("j", timeout=5), LogStream)
    for line in client.tail_job_logs("j"):
        assert_type(line, str)
    with client.tail_job_logs("j") as stream:
        assert_type(stream, LogStream)
        lines: Iterator[str] = stream
        assert_type(next(lines), str)
    assert_type(stream.protocol, str)
    assert_type(stream.job_status, str | None)
    assert_type(stream.reconnects, int)
    assert_type(stream.lines, int)
    assert_type(stream.bytes, int)
    assert_type(stream.truncated_lines, int)
    stream.close()


def several(client: AgentClient) -> None:
    with client.tail_many({"a", "b"}, on_error="raise", on_event=show) as stream:
        assert_type(stream, ManyLogStream)
        for job_id, line in stream:
            assert_type(job_id, str)
            assert_type(line, str)
    assert_type(stream.errors, Mapping[str, ClientError])
    assert_type(stream.streams, Mapping[str, LogStream])
    stream.close()


async def one_async(client: AsyncAgentClient) -> None:
    assert_type(client.tail_job_logs("j", 10, protocol="websocket", on_event=show), AsyncLogStream)
    assert_type(client.websocket_tail_job_logs("j"), AsyncLogStream)
    assert_type(client.stream_tail_job_logs("j", timeout=5), AsyncLogStream)
    async for line in client.tail_job_logs("j"):
        assert_type(line, str)
    async with client.tail_job_logs("j") as stream:
        assert_type(stream, AsyncLogStream)
        assert_type(await anext(stream), str)
    assert_type(stream.job_status, str | None)
    assert_type(stream.lines, int)
    await stream.close()


async def several_async(client: AsyncAgentClient) -> None:
    async with client.tail_many(["a", "b"], on_error="finish") as stream:
        assert_type(stream, AsyncManyLogStream)
        async for job_id, line in stream:
            assert_type(job_id, str)
            assert_type(line, str)
    assert_type(stream.errors, Mapping[str, ClientError])
    assert_type(stream.streams, Mapping[str, AsyncLogStream])
    await stream.close()


def limits() -> None:
    limits = StreamLimits(
        max_messages=None, max_lines=1, max_bytes=2, max_message_size=3, queue_size=None, on_oversize="skip"
    )
    assert_type(limits.max_messages, int | None)
    assert_type(limits.max_lines, int | None)
    assert_type(limits.max_bytes, int | None)
    assert_type(limits.max_message_size, int)
    assert_type(limits.queue_size, int | None)
    assert_type(limits.on_oversize, Literal["truncate", "skip", "error"])
    assert_type(StreamLimits.unlimited(), StreamLimits)
    assert_type(replace(limits, max_lines=5), StreamLimits)


def checks() -> None:
    assert_type(validate_resource_id("j", "job"), str)
    assert_type(validate_timeout(3), float)
    assert_type(http_to_websocket_url("http://a"), str)
    assert_type(sanitize_error_message(ValueError("x"), "tail"), str)
