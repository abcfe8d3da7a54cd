"""The commands that a tail yields, for a shell to carry out and to answer. No I/O.

A command that failed is answered with the `ClientError` that came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["Close", "Command", "Open", "Opened", "Read", "Sleep", "Write"]


class Open(NamedTuple):
    """Send a request, for a WebSocket, an HTTP stream or a plain response; answer with `Opened`."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    timeout: float
    kind: Literal["websocket", "stream", "answer"]

    def opens_stream(self, status: int) -> bool:
        """Return whether a response with this status is the stream that was asked for."""
        return self.kind != "answer" and status == (101 if self.kind == "websocket" else 200)


class Opened(NamedTuple):
    """The head of a response.

    Attributes:
        status: HTTP status.
        headers: HTTP headers.
        body: The body of a response that is not a stream, or its beginning.
        switchable: Whether the connection could be used as a WebSocket.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    switchable: bool = True


class Read(NamedTuple):
    """Wait up to `timeout` seconds for bytes; answer with them, b"" at the end, None if none came."""

    timeout: float


class Write(NamedTuple):
    """Send bytes."""

    data: bytes


class Close(NamedTuple):
    """Close the connection, after sending `goodbye` if that is possible at once."""

    goodbye: bytes = b""


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


Command = Open | Read | Write | Close | Sleep
