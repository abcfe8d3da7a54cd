"""A log stream reads an asyncio connection: it gives what came, holds no more than it must, ends with it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import h11
import httpcore
import httpx
import pytest

from synapse_sdk._transport._asyncio_network import AsyncioStream, connect_tcp
from synapse_sdk.streaming._http import beneath, unread

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiver(peer: Peer) -> AsyncIterator[AsyncioStream]:
    """A connection to a peer, which a log stream would read from."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        stream = await connect_tcp("127.0.0.1", server.sockets[0].getsockname()[1], 5)
        try:
            yield stream
        finally:
            await stream.aclose()


def test_bytes_come_whole_and_in_order_down_to_the_end() -> None:
    data = bytes(range(256)) * 4_000

    async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    async def main() -> None:
        async with receiver(peer) as reading:
            received = b""
            while part := await reading.receive(5):
                received += part
                await asyncio.sleep(0)  # a consumer that lags, so that reading is paused
            assert received == data
            assert await reading.receive(5) == b""

    asyncio.run(main())


def test_a_consumer_that_lags_holds_up_the_peer() -> None:
    sent = 0

    async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        for _ in range(1_000):
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async def main() -> None:
        async with receiver(peer) as reading:
            assert await reading.receive(5)
            before = -1
            while sent != before:  # until nothing goes on any more
                before = sent
                await asyncio.sleep(0.05)
            assert sent < 50_000_000  # the kernel's buffers, not ours
            held = sum(map(len, reading._protocol.pieces))
            assert held < 1_000_000

    asyncio.run(main())


def test_a_read_ends_after_its_time_and_the_next_goes_on() -> None:
    go = asyncio.Event()

    async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(b"late")
        await writer.drain()

    async def main() -> None:
        async with receiver(peer) as reading:
            assert await reading.receive(0.02) is None
            # Shorter than a timer that runs already, then longer.
            assert await reading.receive(0.01) is None
            go.set()
            assert await reading.receive(5) == b"late"

    asyncio.run(main())


def test_cancel_wakes_the_reader() -> None:
    async def peer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with receiver(peer) as reading:
            read = asyncio.create_task(reading.receive(60))
            await asyncio.sleep(0)
            reading.cancel()
            assert await read is None

    asyncio.run(main())


def test_a_reset_is_an_error() -> None:
    async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def main() -> None:
        async with receiver(peer) as reading:
            with pytest.raises(httpcore.ReadError, match="reset"):
                await reading.receive(5)

    asyncio.run(main())


@pytest.mark.parametrize("network", [None, object(), httpx.ByteStream(b"")])
def test_nothing_else_is_read_from_directly(network: object) -> None:
    assert beneath(network, AsyncioStream.__module__, "AsyncioStream") is None


def test_a_connection_with_bytes_in_store_is_not_read_from_directly() -> None:
    """They came behind the head of an upgrade, and go first."""

    class UpgradeStream:
        _stream = httpx.ByteStream(b"")
        _leading_data = b""

    found = UpgradeStream._stream.__class__
    assert beneath(UpgradeStream(), found.__module__, found.__name__) is UpgradeStream._stream
    UpgradeStream._leading_data = b"a line"
    assert beneath(UpgradeStream(), found.__module__, found.__name__) is None


def test_a_body_is_not_taken_from_a_connection_that_is_not_at_one() -> None:
    """A proxy's for one, which has switched to what it carries."""
    client = h11.Connection(h11.CLIENT)
    response: Any = SimpleNamespace(
        stream=SimpleNamespace(_connection=SimpleNamespace(state=client)),
        extensions={"network_stream": object()},
    )
    assert unread(response) is None
    request = h11.Request(method="GET", target="/", headers=[("host", "agent")])
    client.send(request)
    client.send(h11.EndOfMessage())
    client.receive_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n")
    assert isinstance(client.next_event(), h11.Response)
    assert unread(response) == b"5\r\n"
