"""No call gets the answer of another one, whenever calls are cancelled, and no socket is left behind."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trio
import trio.lowlevel
import uvloop

from synapse_agent_api.client import Arguments, Operation
from synapse_sdk._config import ClientConfig
from synapse_sdk._rest._async import AsyncApiClient
from synapse_sdk._rest._sync import ApiClient

from ..unit.scripted_server import Request, Server, json_answer

GET: Operation[Any] = Operation(
    id="get", method="GET", path="{name}/", summary="get it", decoders={200: lambda data: data}
)


def echo(connection: socket.socket, request: Request) -> None:
    connection.sendall(json_answer(200, request.target))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(echo) as server:
        yield server


async def checked(transport: AsyncApiClient, name: str) -> None:
    assert await transport.call(GET, Arguments(path={"name": name})) == f"/{name}/"


def until_gone(server: Server) -> None:
    for number in range(server.accepted):
        server.wait_until_gone(number)


TURNS = range(1, 61)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_cancelled_after_so_many_turns_of_asyncio(server: Server, runner: Any) -> None:
    """Twice, as a timeout around a timeout does, and with another call beside it."""

    async def main() -> None:
        transport = AsyncApiClient.open(ClientConfig(server.url, "t", max_retries=0))
        for turns in TURNS:
            task = asyncio.ensure_future(checked(transport, f"cancelled-{turns}"))
            beside = asyncio.ensure_future(checked(transport, f"beside-{turns}"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            outcomes.add((await asyncio.gather(task, return_exceptions=True))[0] is None)
            await beside
            await checked(transport, f"after-{turns}")
        await transport.aclose()
        await asyncio.to_thread(until_gone, server)

    outcomes: set[bool] = set()
    runner(main())
    assert outcomes == {True, False}
    gc.collect()


def test_cancelled_after_so_many_turns_of_trio(server: Server) -> None:
    async def main() -> None:
        transport = AsyncApiClient.open(ClientConfig(server.url, "t", max_retries=0))
        for turns in TURNS:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(checked, transport, f"beside-{turns}")
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as inner:

                        @inner.start_soon
                        async def cancel(scope: trio.CancelScope = scope, turns: int = turns) -> None:
                            for _ in range(turns):
                                await trio.lowlevel.checkpoint()
                            scope.cancel()

                        await checked(transport, f"cancelled-{turns}")
                        inner.cancel_scope.cancel()
                outcomes.add(not scope.cancelled_caught)
            await checked(transport, f"after-{turns}")
        await transport.aclose()
        await trio.to_thread.run_sync(until_gone, server)

    outcomes: set[bool] = set()
    trio.run(main)
    assert outcomes == {True, False}
    gc.collect()


def test_fifty_threads(server: Server) -> None:
    wrong: list[tuple[str, object]] = []
    transport = ApiClient.open(ClientConfig(server.url, "t"))
    begin = threading.Barrier(50)

    def work(thread: int) -> None:
        begin.wait(20)
        for number in range(20):
            name = f"{thread}-{number}-{random.random()}".replace(".", "")
            got = transport.call(GET, Arguments(path={"name": name}))
            if got != f"/{name}/":
                wrong.append((name, got))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transport.close()
    assert wrong == []
    assert server.accepted <= 50
    until_gone(server)
