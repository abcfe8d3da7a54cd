"""What a traceback of a tail shows: the error and its cause, nothing of how lines are handed out."""

from __future__ import annotations

import asyncio

import pytest
from tables import each_row

from synapse_sdk.clients.exceptions import StreamLimitExceededError
from synapse_sdk.testing import FakeAgent
from synapse_sdk.utils.network import StreamLimits

LIMITS = StreamLimits(max_lines=1, max_messages=1)


def contexts(error: BaseException) -> list[type[BaseException]]:
    found: list[type[BaseException]] = []
    context = error.__context__
    while context is not None:
        found.append(type(context))
        context = context.__context__
    return found


@each_row("protocol", ["websocket", "http"])
def test_sync(protocol: str) -> None:
    with FakeAgent() as agent:
        agent.add_job("job", status="SUCCEEDED", logs=["one", "two"])
        with agent.client(stream_limits=LIMITS) as client, pytest.raises(StreamLimitExceededError) as caught:
            list(client.tail_job_logs("job", protocol=protocol))
    assert IndexError not in contexts(caught.value)


@each_row("protocol", ["websocket", "http"])
def test_async(protocol: str) -> None:
    async def main(agent: FakeAgent) -> None:
        async with agent.async_client(stream_limits=LIMITS) as client:
            async for _ in client.tail_job_logs("job", protocol=protocol):
                pass

    with FakeAgent() as agent:
        agent.add_job("job", status="SUCCEEDED", logs=["one", "two"])
        with pytest.raises(StreamLimitExceededError) as caught:
            asyncio.run(main(agent))
    assert IndexError not in contexts(caught.value)
