"""The file that is a job's log, wherever it lies, read from a position."""

from __future__ import annotations

import asyncio
import os
import tempfile
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import aiohttp
from yarl import URL

from ..errors import ApiError
from ..ray.client import RayClient, RayUnreachableError

__all__ = [
    "BLOCK",
    "InterruptedReadError",
    "LocalFile",
    "LogLostError",
    "LogSource",
    "MissingLogError",
    "NodeFile",
    "StateFile",
    "log_name",
]

# Bytes of one read.
BLOCK = 256 * 1024

# A node that is cut off must be noticed well before a client loses patience.
_NODE_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=3, sock_read=6)

# Ray ends a request for a log after 30 s unless it is given another number of seconds.
_STATE_TIMEOUT = 3600

# A share of the time that Ray may spend on sending one log again and again: a tenth.
_STATE_REST = 10.0

# A log of which Ray's state API is the only source is copied to this machine's disk.
_MOST_COPIED = 8 << 30
_TOO_LARGE = (
    "the log has over 8 GiB, and its node can't be reached from this agent: run the agent where it reaches "
    "the nodes' dashboard agents (port 52365 by default)"
)


class InterruptedReadError(Exception):
    """The log could not be read now; it may be readable in a moment, perhaps in another way."""


class MissingLogError(InterruptedReadError):
    """There is no such file on that node."""


class LogLostError(ApiError):
    """500: what was read of the log and what lies there now do not fit together."""

    def __init__(self, size: int, position: int) -> None:
        super().__init__(
            500,
            f"the log shrank to {size} bytes after {position} had been read: it was truncated or replaced, "
            "and what it had in between may be lost",
        )


class LogSource(Protocol):
    """One file. Both methods raise InterruptedReadError when it can't be read now."""

    async def size(self) -> int:
        """Return the number of bytes there are now."""
        ...

    async def read(self, position: int, limit: int) -> bytes:
        """Return at most `limit` bytes from `position` on, none at the end; LogLostError beyond it."""
        ...


def log_name(submission_id: str) -> str:
    """Return the name of a job's log file, the same on every node and in every version of Ray."""
    return f"job-driver-{submission_id}.log"


class LocalFile:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            raise MissingLogError(f"{self._path} does not exist") from None

    async def read(self, position: int, limit: int) -> bytes:
        # Opened for each block: that costs microseconds, and nothing has to be closed later.
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise MissingLogError(f"{self._path} does not exist") from None
        try:
            data = os.pread(file, limit, position)
            if not data and (size := os.fstat(file).st_size) < position:
                raise LogLostError(size, position)
            return data
        finally:
            os.close(file)


class NodeFile:
    """A file that a node's own agent of Ray's serves below /logs/; it takes none of Ray's state-API slots."""

    def __init__(self, session: aiohttp.ClientSession, url: URL, token: str | None) -> None:
        self._session = session
        self._url = url
        # Ranges are of the file as it lies there.
        self._headers = {"Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    async def size(self) -> int:
        # Not by HEAD: what stands between may answer that with a length of its own.
        _, size = await self._get(0, 1)
        return size

    async def read(self, position: int, limit: int) -> bytes:
        data, size = await self._get(position, limit)
        if size < position:
            raise LogLostError(size, position)
        return data

    async def _get(self, position: int, limit: int) -> tuple[bytes, int]:
        """Return at most `limit` bytes from `position` on, none only at the end, and the file's size."""
        headers = self._headers | {"Range": f"bytes={position}-{position + limit - 1}"}
        try:
            async with self._session.get(
                self._url, headers=headers, timeout=_NODE_TIMEOUT, allow_redirects=False
            ) as response:
                self._check(response)
                part, _, total = response.headers.get("Content-Range", "").partition("/")
                size = int(total) if total.isdecimal() and len(total) <= 18 else -1
                if response.status == 416 and 0 <= size <= position:
                    return b"", size
                length = response.content_length or 0
                end = position + length
                right = 0 < length <= limit and part == f"bytes {position}-{end - 1}" and end <= size
                if response.status != 206 or not right:
                    raise InterruptedReadError(f"{self._where} does not serve parts of files")
                return await response.read(), size
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._broken(error) from None

    @property
    def _where(self) -> str:
        return f"the node's agent at {self._url.host}:{self._url.port}"

    def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status == 404:
            raise MissingLogError(f"{self._where} has no file {self._url.name}")
        if response.status in (401, 403):
            raise InterruptedReadError(f"{self._where} refused this agent's Ray token")

    def _broken(self, error: Exception) -> InterruptedReadError:
        why = "did not answer in time" if isinstance(error, TimeoutError) else "can't be reached"
        return InterruptedReadError(f"{self._where} {why}")


class StateFile:
    """A file by way of Ray's state API, which knows no positions: read as a whole, into a file here.

    Each look at it is one request that ends by itself, and however slow a client is, Ray's slot is free
    as soon as the copy is made. The pause between two of them grows with what they cost.
    """

    def __init__(self, ray: RayClient, slots: asyncio.Semaphore, node_id: str, name: str) -> None:
        self._ray = ray
        self._slots = slots
        self._node_id = node_id
        self._name = name
        self._copy, path = tempfile.mkstemp(prefix="synapse-log-")
        os.unlink(path)  # noqa: PTH108  from now on the file goes with its descriptor
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
        """Add to the copy what it lacks; return the log's size."""
        total = 0
        query = {"node_id": self._node_id, "filename": self._name, "lines": "-1"}
        query["timeout"] = str(_STATE_TIMEOUT)
        try:
            async with self._ray.log_file(query) as response:
                async for data in _plain(response):
                    new = data[max(0, self._size - total) :]
                    if new:
                        os.pwrite(self._copy, new, max(self._size, total))
                    total += len(data)
                    if total > _MOST_COPIED:
                        raise ApiError(503, _TOO_LARGE)
        except RayUnreachableError as error:
            raise InterruptedReadError(error.detail) from None
        return total


async def _plain(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the bytes of a log in the answer of any Ray's."""
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
