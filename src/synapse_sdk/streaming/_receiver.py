"""Reading of a TCP connection on asyncio without what anyio needs for each read."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from synapse_sdk.streaming._http import beneath

__all__ = ["Receiver"]

# Bytes held for a reader that is busy, after which no more are read from the socket.
_ENOUGH = 65_536


class Receiver(asyncio.Protocol):
    """Takes what a connection of httpx brings, in place of anyio's protocol, and hands it to one reader.

    A read of anyio costs two system calls and a cancel scope with a timer beside the read itself; one of this
    costs a future. Writing and closing go on through httpx.
    """

    def __init__(self, transport: asyncio.Transport, before: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._before = before
        self._chunks: deque[bytes] = before.read_queue
        self._held = sum(map(len, self._chunks))
        self._paused = True
        self._over = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        transport.set_protocol(self)

    @classmethod
    def of(cls, network: Any) -> Receiver | None:
        """Take over the reading of a connection; None unless it is a TCP connection of anyio's on asyncio.

        Args:
            network: The network stream of an answer, of which nothing is read, or waited for, at the moment.
        """
        stream = beneath(network, "httpcore._backends.anyio", "AnyIOStream")
        if stream is None:
            return None
        stream = stream._stream
        if (type(stream).__module__, type(stream).__name__) != ("anyio._backends._asyncio", "SocketStream"):
            return None
        before, transport = stream._protocol, stream._transport
        # The end of a connection that has come already is anyio's to tell.
        if transport.is_closing() or before.exception is not None or getattr(before, "is_at_eof", True):
            return None
        return cls(transport, before)

    async def read(self, timeout: float) -> bytes | None:
        """Give bytes, b"" at the end, or None if `timeout` seconds passed or `cancel` was called.

        Raises:
            OSError: The connection broke.
        """
        if not self._chunks and not self._over:
            if self._paused and not self._transport.is_closing():
                self._paused = False
                self._transport.resume_reading()
            self._watch(timeout)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._chunks:
            data = self._chunks.popleft()
            self._held -= len(data)
            return data
        if self._error is not None:
            raise self._error
        return b"" if self._over else None

    def cancel(self) -> None:
        """Wake the reader, if there is one."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Let go of the connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- the time: one timer, which is moved when it goes off, not with each read

    def _watch(self, timeout: float) -> None:
        self._due = due = self._loop.time() + timeout
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._check)
        else:
            self.cancel()

    # --- what asyncio calls

    def data_received(self, data: bytes) -> None:
        self._chunks.append(bytes(data))  # some event loops give a bytearray
        self._held += len(data)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        elif self._held > _ENOUGH:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._over = True
        self.cancel()
        self._before.eof_received()
        return True  # it can still be written to

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over:
            self._error = exc or ConnectionAbortedError("it was closed here")
        self._over = True
        self.cancel()
        self._before.connection_lost(exc)

    def pause_writing(self) -> None:
        self._before.pause_writing()

    def resume_writing(self) -> None:
        self._before.resume_writing()
