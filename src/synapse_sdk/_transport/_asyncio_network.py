"""httpcore's network streams on asyncio's own transports.

Those that httpcore has go through anyio, which lets the event loop turn for each write, and stops and starts
to listen for each read: for a small request that takes longer than sending it. On trio httpcore's are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import select
import ssl
from collections import deque
from functools import lru_cache
from typing import Any, cast

import httpcore

__all__ = ["AsyncioStream", "connect_tcp"]

# Bytes that are read ahead of the reader before no more are taken; as many again may be in the last piece.
_READ_AHEAD = 65_536
# As asyncio and anyio do it: seconds until the next of several addresses is tried.
_HAPPY_EYEBALLS = 0.25
# Seconds; asyncio wants some bound of a handshake besides ours.
_NEVER = 2_000_000.0


async def connect_tcp(host: str, port: int, timeout: float | None) -> AsyncioStream:
    """Connect.

    Raises:
        httpcore.ConnectTimeout: It took longer.
        httpcore.ConnectError: It failed.
    """
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {}
    # Other event loops, such as uvloop's, try one address after the other.
    if isinstance(loop, asyncio.BaseEventLoop) and not _is_address(host):
        options["happy_eyeballs_delay"] = _HAPPY_EYEBALLS
    try:
        async with asyncio.timeout(timeout):
            transport, protocol = await loop.create_connection(_Protocol, host, port, **options)
    except TimeoutError as exc:
        raise httpcore.ConnectTimeout(str(exc)) from exc
    except OSError as exc:
        raise httpcore.ConnectError(str(exc)) from exc
    return AsyncioStream(transport, protocol)


class AsyncioStream(httpcore.AsyncNetworkStream):
    """A connection on asyncio. One reads and one writes at a time."""

    def __init__(self, transport: asyncio.Transport, protocol: _Protocol) -> None:
        self._transport = transport
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        protocol.transport = transport

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Give what is there, at least a byte; wait for it; give none at the end.

        Raises:
            httpcore.ReadTimeout: Nothing came.
            httpcore.ReadError: The connection broke, or was closed.
        """
        protocol = self._protocol
        if not protocol.pieces and not protocol.ended:
            try:
                await protocol.wait_to_read(timeout)
            except TimeoutError as exc:
                raise httpcore.ReadTimeout(str(exc)) from exc
        if protocol.pieces:
            return protocol.take(max_bytes)
        if protocol.broken is not None:
            raise httpcore.ReadError(str(protocol.broken)) from protocol.broken
        return b""

    async def receive(self, timeout: float) -> bytes | None:
        """Give what is there, however much; b"" at the end; None if `timeout` seconds passed, or at `cancel`.

        Raises:
            httpcore.ReadError: The connection broke, or was closed.
        """
        protocol = self._protocol
        if not protocol.pieces and not protocol.ended:
            try:
                await protocol.wait_to_read(timeout)
            except TimeoutError:
                return None
        if protocol.pieces:
            return protocol.take()
        if protocol.broken is not None:
            raise httpcore.ReadError(str(protocol.broken)) from protocol.broken
        return b"" if protocol.ended else None

    def cancel(self) -> None:
        """Have who waits in `receive` go on without anything."""
        self._protocol.wake_reader()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, and wait while too much of it is not sent yet.

        Raises:
            httpcore.WriteTimeout: The peer took too little.
            httpcore.WriteError: The connection broke, or was closed.
        """
        if not buffer:
            return
        if self._transport.is_closing():
            broken = self._protocol.broken
            raise httpcore.WriteError(str(broken or "the connection is closed")) from broken
        self._transport.write(buffer)
        protocol = self._protocol
        if protocol.full:
            try:
                await protocol.wait_to_write(timeout)
            except TimeoutError as exc:
                raise httpcore.WriteTimeout(str(exc)) from exc
            if protocol.broken is not None:
                raise httpcore.WriteError(str(protocol.broken)) from protocol.broken

    async def aclose(self) -> None:
        """Close it at once; who reads or writes has an error."""
        protocol, transport = self._protocol, self._transport
        protocol.end(ConnectionAbortedError("the connection was closed"))
        # An event loop that is over has no use for its transports.
        with contextlib.suppress(RuntimeError):
            if transport.get_write_buffer_size() and transport.get_extra_info("ssl_object") is None:
                # It is sent if that can be done at once; over TLS this would wait for the peer.
                transport.close()
                await asyncio.sleep(0)
            transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Go on over TLS.

        Raises:
            httpcore.ConnectTimeout: It took longer.
            httpcore.ConnectError: It failed.
        """
        try:
            async with asyncio.timeout(timeout):
                transport = await self._loop.start_tls(
                    self._transport,
                    self._protocol,
                    ssl_context,
                    server_hostname=server_hostname,
                    ssl_handshake_timeout=_NEVER,
                )
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(str(exc)) from exc
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        if transport is None:
            raise httpcore.ConnectError("the connection was closed")
        return AsyncioStream(transport, self._protocol)

    def get_extra_info(self, info: str) -> Any:
        """Give what httpcore's streams tell of themselves."""
        transport = self._transport
        match info:
            case "client_addr":
                return transport.get_extra_info("sockname")
            case "server_addr":
                return transport.get_extra_info("peername")
            case "ssl_object" | "socket":
                return transport.get_extra_info(info)
            case "is_readable":
                return self._is_readable()
            case _:
                return None

    def _is_readable(self) -> bool:
        """Tell whether something came unasked, or nothing more will: nothing can be done over this."""
        protocol = self._protocol
        if protocol.pieces or protocol.ended or self._transport.is_closing():
            return True
        if asyncio.get_running_loop() is not self._loop:
            return True
        # The event loop need not have looked since.
        sock = self._transport.get_extra_info("socket")
        return sock is None or _has_input(sock.fileno())


class _Protocol(asyncio.Protocol):
    """What came, and who waits for it."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()
        self.ended = False
        """Whether nothing more will come."""
        self.broken: Exception | None = None
        self.full = False
        """Whether too much waits to be sent."""
        self._held = 0
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.Future[None] | None = None

    async def wait_to_read(self, seconds: float | None) -> None:
        """Wait until there is something, or nothing will come any more.

        Raises:
            TimeoutError: Neither.
        """
        if self._reader is not None:
            raise RuntimeError("two read one connection at once")
        loop = asyncio.get_running_loop()
        self._reader = waiter = loop.create_future()
        self._due = None if seconds is None else loop.time() + seconds
        if self._due is not None:
            self._watch(loop, self._due)
        try:
            await waiter
        finally:
            self._reader = None

    def wake_reader(self) -> None:
        """Have who waits to read go on."""
        _wake(self._reader)

    def _watch(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        """See to it that the wait ends. The timer is moved when it goes off, not with each read."""
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._check, loop)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._reader is None or self._due is None:
            return
        if loop.time() < self._due:
            self._timer = loop.call_at(self._due, self._check, loop)
        else:
            _give_up(self._reader)

    async def wait_to_write(self, seconds: float | None) -> None:
        """Wait until more may be written, or nothing will be sent any more.

        Raises:
            TimeoutError: Neither.
        """
        if self._writer is not None:
            raise RuntimeError("two write to one connection at once")
        self._writer = waiter = asyncio.get_running_loop().create_future()
        try:
            await _bounded(waiter, seconds)
        finally:
            self._writer = None

    def take(self, max_bytes: int | None = None) -> bytes:
        """Give of what is there."""
        piece = self.pieces.popleft()
        if max_bytes is not None and len(piece) > max_bytes:
            # All of it is cut at once, so that none of it is copied again and again.
            starts = range(max_bytes, len(piece), max_bytes)
            self.pieces.extendleft(piece[start : start + max_bytes] for start in reversed(starts))
            piece = piece[:max_bytes]
        self._held -= len(piece)
        if self._paused and self._held < _READ_AHEAD:
            self._paused = False
            self.transport.resume_reading()
        return piece

    def end(self, exc: Exception | None) -> None:
        """Take note that nothing more comes and goes."""
        if not self.ended:
            self.ended = True
            self.broken = exc
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        _wake(self._reader)
        _wake(self._writer)

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pieces.append(bytes(data))  # some event loops give a bytearray
        self._held += len(data)
        if self._held >= _READ_AHEAD and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self.end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(exc)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        _wake(self._writer)


async def _bounded(waiter: asyncio.Future[None], seconds: float | None) -> None:
    if seconds is None:
        return await waiter
    timer = asyncio.get_running_loop().call_later(seconds, _give_up, waiter)
    try:
        await waiter
    finally:
        timer.cancel()


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


@lru_cache(maxsize=64)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _has_input(descriptor: int) -> bool:
    if descriptor < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])  # Windows
