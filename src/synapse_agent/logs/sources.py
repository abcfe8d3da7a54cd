"""The file that is a job's log, on this machine or another, read from a position."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import aiohttp
from yarl import URL

from ..errors import ApiError

__all__ = [
    "BLOCK",
    "InterruptedReadError",
    "LocalFile",
    "LogLostError",
    "LogSource",
    "MissingLogError",
    "NodeFile",
    "log_name",
]

# Bytes of one read.
BLOCK = 256 * 1024

# A node that is cut off must be noticed well before clients time out.
_NODE_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=3, sock_read=6)


class InterruptedReadError(Exception):
    """The log could not be read now; a later try, perhaps of another source, may work."""


class MissingLogError(InterruptedReadError):
    """The node has no such file."""


class LogLostError(ApiError):
    """500: the log is now shorter than what was read of it."""

    def __init__(self, size: int, position: int) -> None:
        super().__init__(
            500,
            f"the log shrank to {size} bytes after {position} had been read: it was truncated or replaced, "
            "and what it had in between may be lost",
        )


class LogSource(Protocol):
    """One file. Both methods raise InterruptedReadError when it can't be read now."""

    async def size(self) -> int:
        """Return the number of bytes that the file has now."""
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
        # Opened for each block, which takes microseconds, so that nothing has to be closed later.
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
    """A file that Ray's own agent on a node serves below /logs/, which takes no slot of Ray's state API."""

    def __init__(self, session: aiohttp.ClientSession, url: URL, token: str | None) -> None:
        self._session = session
        self._url = url
        # Ranges are of the file as it lies there.
        self._headers = {"Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    async def size(self) -> int:
        # Not by HEAD, whose Content-Length a proxy may have made up.
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
