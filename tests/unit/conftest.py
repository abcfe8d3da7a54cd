"""Tests that hold for the sync client, and for the async one on asyncio and on trio, are written once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

Use = Callable[..., Any]

TOKEN = "S3CRET-token"


@pytest.fixture
def use(backend: str) -> Use:
    """Make a client, do something with it, and close it.

    What is done is a generator function: it takes the client, and yields whatever would be awaited, or be
    walked through, in an async program; it is sent what came of it.
    """

    def used(steps: Callable[[Any], Any], *args: Any, **options: Any) -> Any:
        if backend == "sync":
            with AgentClient(*args, **options) as client:
                return _driven_sync(steps(client))

        async def main() -> Any:
            async with AsyncAgentClient(*args, **options) as client:
                return await _driven_async(steps(client))

        return anyio.run(main, backend=backend)

    return used


@pytest.fixture
def ask(use: Use) -> Use:
    """Call one method of a fresh client; give back what it answers, what it walks through as a list."""

    def asked(
        url: str | None, method: str, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        def steps(client: Any) -> Any:
            return (yield getattr(client, method)(*args, **kwargs))

        return use(steps, url, TOKEN, **(options or {}))

    return asked


def _driven_sync(generator: Any) -> Any:
    value: Any = None
    failure: Exception | None = None
    while True:
        try:
            value = generator.send(value) if failure is None else generator.throw(failure)
        except StopIteration as done:
            return done.value
        failure = None
        try:
            if inspect.isgenerator(value):
                value = list(value)
        except Exception as exc:  # noqa: BLE001 - it is thrown to where it was asked for
            failure = exc


async def _driven_async(generator: Any) -> Any:
    value: Any = None
    failure: Exception | None = None
    while True:
        try:
            value = generator.send(value) if failure is None else generator.throw(failure)
        except StopIteration as done:
            return done.value
        failure = None
        try:
            if inspect.isasyncgen(value):
                value = [item async for item in value]
            elif inspect.isawaitable(value):
                value = await value
        except Exception as exc:  # noqa: BLE001 - it is thrown to where it was asked for
            failure = exc
