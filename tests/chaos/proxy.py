"""A TCP proxy before an agent that ends each connection to a log stream as its plan says, at that byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

from websockets.frames import Frame, Opcode

from chaos.plan import Cut, Plan
from chaos.wire import Stream

__all__ = ["Proxy"]

_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 13\r\nconnection: close\r\n\r\n"
    b"<h1>502</h1>\n"
)


class Proxy:
    """Listens on a free port of 127.0.0.1 while it is entered.

    Connections are distinguished by the request on them, and numbered among their like: those to a log
    stream, and those that ask for the job's status.

    Args:
        port: The agent's.
        plan: What becomes of each connection.
        newline: 1 if a message of the agent's is a line that implies its newline, else 0.
    """

    def __init__(self, port: int, plan: Plan, *, newline: int) -> None:
        self.agent_port = port
        self.newline = newline
        self.cuts = 0
        self.done: list[str] = []
        """What was done to each stream connection, in order."""
        self.seen = 0
        """How far the log got on any connection, in `Stream.reached`'s measure."""
        self._streams = iter(plan.cuts)
        self._status = iter(plan.status)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def next_cut(self, *, stream: bool) -> Cut | None:
        return next(self._streams if stream else self._status, None)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        agent_writer: asyncio.StreamWriter | None = None
        try:
            agent_reader, agent_writer = await asyncio.open_connection("127.0.0.1", self.agent_port)
            await _Link(self, reader, writer, agent_reader, agent_writer).run()
        except OSError:
            pass  # either side went away
        finally:
            for side in (writer, agent_writer):
                if side is not None:
                    side.transport.abort()


@dataclass
class _Link:
    """One connection through the proxy."""

    proxy: Proxy
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    agent: asyncio.StreamReader
    to_agent: asyncio.StreamWriter
    cut: Cut | None = None
    is_stream: bool = False
    stream: Stream = field(init=False)

    def __post_init__(self) -> None:
        # What was written is then in the kernel's hands after `drain`, so that a cut takes nothing with it.
        self.to_client.transport.set_write_buffer_limits(0)
        self.stream = Stream(newline=self.proxy.newline)

    async def run(self) -> None:
        up = asyncio.ensure_future(self._up())
        down = asyncio.ensure_future(self._down())
        try:
            # The client ends its connection, whatever becomes of the other one.
            await up
        finally:
            self.proxy.seen = max(self.proxy.seen, self.stream.at_most)
            down.cancel()
            up.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    # --- from the client

    async def _up(self) -> None:
        head = b""
        while data := await self.client.read(65_536):
            if not self.is_stream:
                head += data
                if b"\r\n\r\n" in head:
                    target = head.split(b" ", 2)[1]
                    head = b""
                    if self._asked(stream=b"/logs/" in target):
                        await self._end()
                        continue
            if not self.to_agent.is_closing():
                with contextlib.suppress(OSError):
                    self.to_agent.write(data)
                    await self.to_agent.drain()

    def _asked(self, *, stream: bool) -> bool:
        """Record a request; return whether the agent must not get it."""
        self.is_stream = stream
        self.cut = self.proxy.next_cut(stream=stream)
        self.stream = Stream(newline=self.proxy.newline)
        if stream and self.cut is None:
            self.proxy.done.append("through")
        return self.cut is not None and (self.cut.how == "bad gateway" or self.cut.at < 0)

    # --- from the agent

    async def _down(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self.agent.read(65_536):
                if self.cut is None:
                    await self._send(data)
                elif await self._send_until_cut(self.cut, data):
                    return
            self.to_client.write_eof()

    async def _send(self, data: bytes) -> None:
        self.to_client.write(data)
        await self.to_client.drain()

    async def _send_until_cut(self, cut: Cut, data: bytes) -> bool:
        """Send what may still pass; tell whether the cut is made."""
        stream, passed = self.stream, 0
        while passed < len(data):
            if self._due(cut):
                await self._send(data[:passed])
                await self._end()
                return True
            step = min(stream.step(data[passed:]), self._allowed(cut))
            stream.feed(data[passed : passed + step])
            passed += step
            if cut.onwards and stream.reached > self.proxy.seen:
                # From here on it is a cut like the others, so many bytes from here.
                self.cut = cut = Cut(cut.how, stream.position + max(0, cut.at), False, cut.code)
        await self._send(data)
        if self._due(cut):
            await self._end()
            return True
        return False

    def _allowed(self, cut: Cut) -> int:
        left = cut.at - self.stream.position
        return 2**30 if cut.onwards or left <= 0 else left

    def _due(self, cut: Cut) -> bool:
        if cut.onwards or self.stream.position < cut.at:
            return False
        # One who closes by the book does it between two messages.
        return cut.how != "close" or self.stream.boundary

    # --- the end

    async def _end(self) -> None:
        cut = self.cut
        assert cut is not None
        self.proxy.seen = max(self.proxy.seen, self.stream.at_most)
        self.proxy.cuts += 1
        how = f"{cut.how} {cut.code}" if cut.how == "close" and self.stream.websocket else cut.how
        if self.is_stream:
            self.proxy.done.append(f"{how} at byte {self.stream.position}")
        if cut.how not in ("stall", "half-open"):
            self.to_agent.transport.abort()
        match cut.how:
            case "rst":
                sock: socket.socket = self.to_client.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.to_client.transport.abort()
            case "fin":
                self.to_client.write_eof()
            case "stall":
                pass
            case "half-open":
                self.to_agent.transport.abort()
            case "bad gateway":
                await self._send(_BAD_GATEWAY)
                self.to_client.write_eof()
            case "close":
                await self._send(_goodbye(cut.code) if self.stream.websocket else b"0\r\n\r\n")
                self.to_client.write_eof()


def _goodbye(code: int) -> bytes:
    return Frame(Opcode.CLOSE, b"" if code == 1005 else struct.pack("!H", code)).serialize(mask=False)
