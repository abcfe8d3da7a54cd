"""Reading past anyio: it gives what came, holds no more than it must, and ends with its connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from synapse_sdk.streaming._receiver import Receiver

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


@asynccontextmanager
async def receiver(peer: Peer) -> AsyncIterator[Receiver]:
    """A receiver of what a peer sends behind its head and one byte."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + b"!")
            await reader.readexactly(1)
            await peer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, httpx.AsyncClient() as client:
        port = server.sockets[0].getsockname()[1]
        headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
        async with client.stream("GET", f"http://127.0.0.1:{port}/", headers=headers) as response:
            network = response.extensions["network_stream"]
            # What came with the head is httpcore's to give.
            first = await network.read(1, timeout=5)
            assert first == b"!"
            taken = Receiver.of(network)
            assert taken is not None
            await network.write(b".", timeout=5)
            yield taken
            taken.close()


def test_bytes_come_whole_and_in_order_down_to_the_end() -> None:
    data = bytes(range(256)) * 4_000

    async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    async def main() -> None:
        async with receiver(peer) as reading:
            received = b""
            while part := await reading.read(5):
                received += part
                await asyncio.sleep(0)  # a consumer that lags, so that reading is paused
            assert received == data
            assert await reading.read(5) == b""

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
            assert await reading.read(5)
            before = -1
            while sent != before:  # until nothing goes on any more
                before = sent
                await asyncio.sleep(0.05)
            assert sent < 50_000_000  # the kernel's buffers, not ours
            held = sum(map(len, reading._chunks))
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
            assert await reading.read(0.02) is None
            # Shorter than a timer that runs already, then longer.
            assert await reading.read(0.01) is None
            go.set()
            assert await reading.read(5) == b"late"

    asyncio.run(main())


def test_cancel_wakes_the_reader() -> None:
    async def peer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with receiver(peer) as reading:
            read = asyncio.create_task(reading.read(60))
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
            with pytest.raises(ConnectionResetError):
                await reading.read(5)

    asyncio.run(main())


@pytest.mark.parametrize("network", [None, object(), httpx.ByteStream(b"")])
def test_nothing_else_is_taken_over(network: object) -> None:
    assert Receiver.of(network) is None
