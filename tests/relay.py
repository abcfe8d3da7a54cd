"""A TCP relay before a server of this machine, which counts what goes through, and speaks TLS if it is to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Relay", "relay_to"]


class Relay:
    """What went through so far.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        received: Bytes that the server sent.
        connections: How many were made.
    """

    def __init__(self, server: int) -> None:
        self.port = 0
        self.received = 0
        self.connections = 0
        self._server = server

    async def serve(self, tls: ssl.SSLContext | None, ready: threading.Event) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            self.connections += 1
            with suppress(OSError, asyncio.CancelledError):
                from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server)
                await asyncio.gather(
                    self._copy(reader, to_server, count=False), self._copy(from_server, writer, count=True)
                )
            tasks.discard(task)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        try:
            await server.serve_forever()
        finally:
            for task in tasks:
                task.cancel()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool) -> None:
        try:
            while data := await reader.read(1 << 18):
                self.received += len(data) * count
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@contextmanager
def relay_to(port: int, *, tls: ssl.SSLContext | None = None) -> Iterator[Relay]:
    """Relay to a port of 127.0.0.1; with `tls`, clients speak TLS."""
    relay, ready = Relay(port), threading.Event()
    loop = asyncio.new_event_loop()
    task = loop.create_task(relay.serve(tls, ready))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(60)
        yield relay
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()
