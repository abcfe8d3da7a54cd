"""The network stream on asyncio: nothing is lost, nothing piles up, and nobody waits for what can't come."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore
import pytest
import trustme

from synapse_sdk._transport._asyncio_network import AsyncioStream, connect_tcp

try:
    import uvloop
except ImportError:
    uvloop = None

Test = Callable[[AsyncioStream, socket.socket], Awaitable[None]]


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def event_loop_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web servers bring an event loop of their own, whose transports are not quite asyncio's."""
    if request.param == "uvloop":
        if uvloop is None:
            pytest.skip("there is no uvloop")
        monkeypatch.setattr(asyncio, "run", uvloop.run)


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[AsyncioStream, socket.socket]]:
    """A stream, and the plain socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = await connect_tcp("127.0.0.1", listener.getsockname()[1], 5)
        peer, _ = listener.accept()
    with peer:
        peer.settimeout(5)
        try:
            yield stream, peer
        finally:
            await stream.aclose()


def run(test: Test) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), pair() as (stream, peer):
            await test(stream, peer)

    asyncio.run(main())


async def received(peer: socket.socket, size: int) -> bytes:
    return await asyncio.to_thread(_received, peer, size)


def _received(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := peer.recv(size - len(data))):
        data += piece
    return data


def test_bytes_go_both_ways() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        await stream.write(b"request")
        await stream.write(b"")
        assert await received(peer, 7) == b"request"
        peer.sendall(b"answer")
        assert await stream.read(100, timeout=5) == b"answer"

    run(test)


def test_a_read_gives_no_more_than_was_asked_for_and_the_next_the_rest() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        peer.sendall(b"0123456789")
        assert [await stream.read(4, timeout=5) for _ in range(3)] == [b"0123", b"4567", b"89"]

    run(test)


def test_the_end() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        peer.sendall(b"last")
        peer.close()
        assert await stream.read(100, timeout=5) == b"last"
        assert await stream.read(100, timeout=5) == b""
        assert await stream.read(100, timeout=5) == b""

    run(test)


def test_what_came_before_a_reset_is_given_before_it_is_told() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        peer.sendall(b"last")
        assert await stream.read(2, timeout=5) == b"la"
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        assert await stream.read(100, timeout=5) == b"st"
        with pytest.raises(httpcore.ReadError):
            await stream.read(100, timeout=5)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"too late")

    run(test)


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_a_read_that_times_out_loses_nothing(seconds: float) -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        for number in range(5):
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(100, timeout=seconds)
            peer.sendall(b"%d" % number)
            assert await stream.read(100, timeout=5) == b"%d" % number

    run(test)


def test_a_read_that_is_cancelled_loses_nothing() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        for number in range(20):
            read = asyncio.create_task(stream.read(100))
            for _ in range(number % 4):
                await asyncio.sleep(0)
            peer.sendall(b"%02d" % number)
            for _ in range(number // 4):
                await asyncio.sleep(0)
            read.cancel()
            try:
                got = await read
            except asyncio.CancelledError:
                got = await stream.read(100, timeout=5)
            assert got == b"%02d" % number

    run(test)


def held_by(stream: AsyncioStream) -> int:
    return sum(map(len, stream._protocol.pieces))


def test_a_flood_does_not_pile_up() -> None:
    size = 20_000_000

    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        flood = asyncio.create_task(asyncio.to_thread(peer.sendall, bytes(size)))
        await stream.read(1, timeout=5)
        held, before = held_by(stream), -1
        while held != before:  # as long as more comes in, although nobody reads
            await asyncio.sleep(0.05)
            held, before = held_by(stream), held
        assert held < 1_000_000
        assert not flood.done()
        left = size - 1
        while left:
            left -= len(await stream.read(65_536, timeout=5))
        await flood

    run(test)


def test_a_peer_that_takes_nothing() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(20_000_000), timeout=0.05)

    run(test)


def test_a_write_waits_until_the_peer_takes_it() -> None:
    size = 20_000_000

    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        taken = asyncio.create_task(received(peer, size))
        await stream.write(bytes(size), timeout=10)
        assert len(await taken) == size

    run(test)


def test_closing_ends_a_read_and_a_write() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        read = asyncio.create_task(stream.read(100))
        write = asyncio.create_task(stream.write(bytes(20_000_000)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await stream.aclose()
        with pytest.raises(httpcore.ReadError, match="closed"):
            await read
        with pytest.raises(httpcore.WriteError):
            await write
        with pytest.raises(httpcore.ReadError):
            await stream.read(100)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x")
        await stream.aclose()

    run(test)


def test_closing_sends_what_was_written() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        await stream.write(b"goodbye")
        await stream.aclose()
        assert await received(peer, 100) == b"goodbye"

    run(test)


def test_readable_is_what_has_come_unasked_and_what_has_ended() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        assert not stream.get_extra_info("is_readable")
        peer.sendall(b"x")
        # The event loop has not looked yet.
        assert stream.get_extra_info("is_readable")
        await asyncio.sleep(0.01)
        assert stream.get_extra_info("is_readable")
        assert await stream.read(100) == b"x"
        assert not stream.get_extra_info("is_readable")
        peer.close()
        assert stream.get_extra_info("is_readable")
        assert stream.get_extra_info("something") is None

    run(test)


def test_a_stream_of_a_loop_that_is_over_can_not_be_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        loop = asyncio.new_event_loop()
        stream = loop.run_until_complete(connect_tcp("127.0.0.1", listener.getsockname()[1], 5))

        async def in_another_loop() -> None:
            assert stream.get_extra_info("is_readable")

        asyncio.run(in_another_loop())
        loop.run_until_complete(stream.aclose())
        loop.close()
        listener.accept()[0].close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nobody_listens(host: str) -> None:
    with pytest.raises(httpcore.ConnectError):
        asyncio.run(connect_tcp(host, 9, 5))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("how", ["timeout", "cancelled"])
def test_connecting_that_takes_too_long_leaves_nothing_open(host: str, how: str) -> None:
    async def main(port: int) -> None:
        if how == "timeout":
            with pytest.raises(httpcore.ConnectTimeout):
                await connect_tcp(host, port, 0.1)
            return
        task = asyncio.create_task(connect_tcp(host, port, None))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    # A full backlog drops what comes. A socket that is left open is a warning, and so an error.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fill = [socket.socket() for _ in range(3)]
        for sock in fill:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        asyncio.run(main(port))
        for sock in fill:
            sock.close()
    gc.collect()


def test_a_name_that_is_none() -> None:
    with pytest.raises(httpcore.ConnectError):
        asyncio.run(connect_tcp("no-such-host.invalid", 80, 5))


def test_over_tls() -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)

    def serve(plain: socket.socket) -> bytes:
        with serving.wrap_socket(plain.dup(), server_side=True) as peer:
            peer.sendall(b"hello")
            return _received(peer, 5)

    async def test(plain: AsyncioStream, peer: socket.socket) -> None:
        served = asyncio.create_task(asyncio.to_thread(serve, peer))
        stream = await plain.start_tls(trusting, "127.0.0.1", 5)
        assert stream.get_extra_info("ssl_object").version().startswith("TLS")
        assert await stream.read(100, timeout=5) == b"hello"
        await stream.write(b"world")
        assert await served == b"world"
        await stream.aclose()

    run(test)


def test_tls_that_fails_or_takes_too_long() -> None:
    async def test(stream: AsyncioStream, peer: socket.socket) -> None:
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "127.0.0.1", 0.05)

    run(test)

    async def refused(stream: AsyncioStream, peer: socket.socket) -> None:
        peer.sendall(b"no TLS at all")
        with pytest.raises(httpcore.ConnectError):
            await stream.start_tls(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "127.0.0.1", 5)

    run(refused)
