"""A server of long logs: bytes built once, sent again and again, so that it is never what is measured.

The id of a job tells what its log is: `bulk-<size>-<lines>` has so many lines of so many bytes, as fast as
they can be sent; `bulk_bare-…` is the same without offsets; of `crowd-<tails>-<size>-<lines>`, 1000 lines at
most, the second half comes once there are so many tails.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from functools import cache
from urllib.parse import urlsplit

from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from scale.resources import raise_file_limit

__all__ = ["BLOCK", "lines_of_block"]

# Lines that are built at once.
BLOCK = 1_000


@cache
def lines_of_block(size: int) -> list[str]:
    """The lines of each block: of `size` bytes with their newline, each different."""
    return [f"{number:>8} ".ljust(size - 1, "abcdefghij"[number % 10]) for number in range(BLOCK)]


class _Blocks:
    """Blocks of a log as one protocol frames them, in which only the offsets are filled in."""

    def __init__(self, size: int, *, websocket: bool, offsets: bool) -> None:
        # JSON takes spaces before a number, so that a message with any offset has the same length.
        offset = ', "offset": %15d' if offsets else ""
        frames = []
        for line in lines_of_block(size):
            event = f'{{"type": "log", "message": {json.dumps(line)}{offset}}}'
            length = len(event) - len(offset) + len(offset % 0 if offset else "")
            if websocket:
                head = Frame(Opcode.TEXT, b"x" * length).serialize(mask=False)[:-length]
                frames.append(head.replace(b"%", b"%%") + event.encode())
            else:
                frames.append(b"data: " + event.encode() + b"\n\n")
        self._template = b"".join(frames)
        self._offsets = offsets
        self._size = size
        self._chunked = not websocket
        self._plain = self._template.replace(b"%%", b"%")

    def block(self, index: int, first: int = 0, last: int = BLOCK) -> bytes:
        """The lines from `first` to before `last` of one block."""
        data = self._plain
        if self._offsets:
            start = index * BLOCK * self._size
            data = self._template % tuple(start + (n + 1) * self._size for n in range(BLOCK))
        each = len(data) // BLOCK
        data = data[each * first : each * last]
        return b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data


class _Crowd:
    def __init__(self, tails: int) -> None:
        self.missing = tails
        self.complete = asyncio.Event()

    def come(self) -> None:
        self.missing -= 1
        if self.missing <= 0:
            self.complete.set()


_crowds: dict[str, _Crowd] = {}
_blocks: dict[tuple[int, bool, bool], _Blocks] = {}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = urlsplit(head[0].split(" ")[1]).path
            if "/logs/" not in path:
                body = b'{"submission_id": "job", "type": "SUBMISSION", "status": "SUCCEEDED"}'
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
                continue
            keys = [
                line.split(":")[1].strip() for line in head if line.lower().startswith("sec-websocket-key")
            ]
            await _stream(writer, path.split("/")[2], keys[0] if keys else None)
            await reader.read()
            break
    writer.close()


async def _stream(writer: asyncio.StreamWriter, job_id: str, key: str | None) -> None:
    kind, *numbers = job_id.split("-")
    *tails, size, lines = map(int, numbers)
    if key is not None:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n")
        writer.write(f"sec-websocket-accept: {accept_key(key)}\r\n\r\n".encode())
    else:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
    shape = (size, key is not None, kind != "bulk_bare")
    if shape not in _blocks:
        _blocks[shape] = _Blocks(size, websocket=shape[1], offsets=shape[2])
    blocks = _blocks[shape]
    if tails:
        crowd = _crowds.setdefault(job_id, _Crowd(*tails))
        writer.write(blocks.block(0, 0, lines // 2))
        crowd.come()
        await crowd.complete.wait()
        writer.write(blocks.block(0, lines // 2, lines))
    else:
        for index in range(lines // BLOCK):
            writer.write(blocks.block(index))
            await writer.drain()
    done = b'{"type": "complete", "status": "SUCCEEDED"}'
    if key is not None:
        writer.write(Frame(Opcode.TEXT, done).serialize(mask=False))
        writer.write(Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=False))
    else:
        done = b"data: " + done + b"\n\n"
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(done), done))
    await writer.drain()


async def main() -> None:
    raise_file_limit()
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Until the parent closes our input.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
