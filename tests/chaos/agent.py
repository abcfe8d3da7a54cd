"""An agent that has one finished log, and sends it anew on every connection, each time cut otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from chaos.logs import Kind, complete, encode, messages

__all__ = ["ReplayingAgent"]


class ReplayingAgent:
    """Listens on a free port of 127.0.0.1 while it is entered.

    Args:
        kind: How it sends the log; of the kinds with offsets it goes on where a client asks it to.
        log: The log.
        rng: Decides how the log is cut, and into what writes.
        completes: Whether it says `complete` at the end, or just ends the stream.
        finished: Whether the job is over from the start, or only once the log was sent to its end.
    """

    def __init__(
        self, kind: Kind, log: str, rng: random.Random, *, completes: bool = True, finished: bool = False
    ) -> None:
        self.kind = kind
        self.log = log
        self.completes = completes
        self.finished = finished
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ReplayingAgent:
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

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # One of its own for each connection, so that what one of them does changes nothing for the next.
        rng = random.Random(self._rng.random())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                request, *lines = head.split("\r\n")
                target = urlsplit(request.split(" ")[1])
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines if line)
                }
                if "/logs/" in target.path:
                    asked = parse_qs(target.query).get("offset", [headers.get("last-event-id", "0")])[0]
                    start = int(asked) if self.kind in ("offsets", "offset pieces") else 0
                    await self._stream(writer, rng, start, headers.get("sec-websocket-key"))
                    while await reader.read(65_536):
                        pass
                    return
                await self._status(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            writer.transport.abort()

    async def _status(self, writer: asyncio.StreamWriter) -> None:
        status = "SUCCEEDED" if self.finished else "RUNNING"
        body = json.dumps({"submission_id": "job", "type": "SUBMISSION", "status": status}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    async def _stream(
        self, writer: asyncio.StreamWriter, rng: random.Random, start: int, key: str | None
    ) -> None:
        websocket = key is not None
        if key is not None:
            head = "101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            head += f"sec-websocket-accept: {accept_key(key)}\r\n\r\n"
        else:
            head = "200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(f"HTTP/1.1 {head}".encode())
        sent = messages(self.kind, self.log, start=start, cuts=self._cuts(rng))
        if self.completes:
            sent.append(complete(0))
        data = b"".join(encode(message, websocket=websocket) for message in sent)
        most = rng.choice((50, 1_000, 20_000))
        position = 0
        while position < len(data):
            part = data[position : position + rng.randint(1, most)]
            position += len(part)
            writer.write(part if websocket else b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
            await asyncio.sleep(0)
        self.finished = True
        writer.write(Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=False) if websocket else b"0\r\n\r\n")
        with contextlib.suppress(OSError):
            await writer.drain()

    def _cuts(self, rng: random.Random) -> list[int]:
        if self.kind not in ("pieces", "offset pieces"):
            return []
        # The first piece has a newline, so that there is never a doubt that these are pieces.
        position = self.log.find("\n") + 1
        longest = rng.choice((8, 100, 100, 2_000))
        cuts: list[int] = []
        while position < len(self.log):
            cuts.append(position)
            position += rng.randint(1, longest)
        return cuts
