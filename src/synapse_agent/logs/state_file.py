"""A log by way of Ray's state API, which knows no positions."""

from __future__ import annotations

import asyncio
import os
import tempfile
import weakref
from collections.abc import AsyncIterator

import aiohttp

from ..errors import ApiError
from ..ray.client import RayClient, RayUnreachableError
from .sources import BLOCK, InterruptedReadError, LogLostError, MissingLogError

__all__ = ["StateFile"]

# Ray ends a request for a log after 30 s unless it is given another number of seconds.
_STATE_TIMEOUT = 3600

# The pause between two copies of a log, in times of what the last one took.
_STATE_REST = 10.0

# The last lines of a log are held in memory up to this size in bytes, and asked for up to this number.
_MOST_HELD, _MOST_LINES = 4 << 20, 100_000

# Bytes of the largest log that is copied to this machine's disk.
_MOST_COPIED = 8 << 30
_TOO_LARGE = (
    "the log has over 8 GiB, and its node can't be reached from this agent: run the agent where it reaches "
    "the nodes' dashboard agents (port 52365 by default)"
)


class StateFile:
    """A file that Ray's state API sends as a whole, copied into a file of this machine.

    Each copy is one request that ends by itself, so that Ray's slot is free again however slow a client
    reads. The pause between two copies grows with the time that they take.

    Args:
        ray: The cluster.
        slots: Held while Ray answers.
        node_id: The node that has the file.
        name: The file's name.
        because: Why the node itself is not asked, the beginning of errors.
    """

    def __init__(
        self, ray: RayClient, slots: asyncio.Semaphore, node_id: str, name: str, because: str = ""
    ) -> None:
        self._ray = ray
        self._slots = slots
        self._node_id, self._name = node_id, name
        self._query = {"node_id": node_id, "filename": name, "timeout": str(_STATE_TIMEOUT)}
        self._because = f"{because}, and " if because else ""
        self._copy, path = tempfile.mkstemp(prefix="synapse-log-")
        os.unlink(path)  # noqa: PTH108  the file is gone when its descriptor is closed
        weakref.finalize(self, os.close, self._copy)
        self._size = 0
        self._lock = asyncio.Lock()
        self._next = 0.0

    async def size(self) -> int:
        await self._refresh()
        return self._size

    async def read(self, position: int, limit: int) -> bytes:
        if position >= self._size:
            await self._refresh()
        if position > self._size:
            raise LogLostError(self._size, position)
        return os.pread(self._copy, min(limit, self._size - position), position)

    async def last_lines(self, count: int) -> bytes | None:
        """Return at least the last `count` lines without a copy of the log; None if they are too large.

        Ray does not tell their position in the log.
        """
        if self._size or count > _MOST_LINES:
            return None
        data = bytearray()
        async with self._slots:
            async for part in self._answer(count + 1):
                data += part
                if len(data) > _MOST_HELD:
                    return None
        # No lines at all may be a missing file, which a copy finds out.
        return bytes(data) or None

    async def _refresh(self) -> None:
        clock = asyncio.get_running_loop().time
        async with self._lock:
            await asyncio.sleep(max(0.0, self._next - clock()))
            async with self._slots:
                started = clock()
                try:
                    total = await self._copy_whole()
                finally:
                    self._next = clock() + min(30.0, max(1.0, _STATE_REST * (clock() - started)))
            if total < self._size:
                raise LogLostError(total, self._size)
            self._size = total

    async def _copy_whole(self) -> int:
        """Append to the copy what is new in the log; return the log's size."""
        total = 0
        async for data in self._answer(-1):
            new = data[max(0, self._size - total) :]
            if new:
                os.pwrite(self._copy, new, max(self._size, total))
            total += len(data)
            if total > _MOST_COPIED:
                raise ApiError(503, _TOO_LARGE)
        # Ray answers 200 and nothing for about every third request for a file that is not there.
        if not total and not await self._exists():
            raise MissingLogError(f"{self._because}Ray has no file {self._name} on that node")
        return total

    async def _exists(self) -> bool:
        try:
            return await self._ray.has_log_file(self._node_id, self._name)
        except ApiError as error:
            raise InterruptedReadError(f"{self._because}{error.detail}") from None

    async def _answer(self, lines: int) -> AsyncIterator[bytes]:
        """Yield the log's last `lines` lines, or the whole log for -1."""
        try:
            async with self._ray.log_file(self._query | {"lines": str(lines)}) as response:
                async for data in _plain(response):
                    yield data
        except RayUnreachableError as error:
            raise InterruptedReadError(f"{self._because}{error.detail}") from None
        except InterruptedReadError as error:
            raise type(error)(f"{self._because}{error}") from None


async def _plain(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the bytes of a log in the answer of any version of Ray."""
    if response.status != 200:
        text = (await response.text())[:2_000]
        raise _failed(text)
    # Since 2.45 an answer has this header and the bytes as they are. Before, Ray puts a "1" before each
    # chunk, and "0" before an error.
    if "Content-Disposition" in response.headers:
        async for data in response.content.iter_chunked(BLOCK):
            yield data
        return
    first = True
    async for data, ends in response.content.iter_chunks():
        if first and data[:1] == b"0":
            raise _failed(data[1:2_000].decode("utf-8", "replace"))
        yield data[1:] if first else data
        first = ends


def _failed(text: str) -> InterruptedReadError:
    words = " ".join(text.split())[-300:]
    if any(sign in text for sign in ("not found", "Could not find", "does not exist", "No such file")):
        return MissingLogError(f"Ray can't read the log: {words}")
    return InterruptedReadError(f"Ray can't read the log: {words}")
