"""End what blocks its thread for too long: deadlines, and connections that another thread can end."""

from __future__ import annotations

import _thread
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from ._trace import REUSED, connected_stream

__all__ = ["ConnectionWatch", "Deadline", "end_socket"]


class Deadline:
    """Calls a function after so many seconds, in a thread of its own, unless `cancel` comes before.

    Starting and stopping a `threading.Timer` waits for its thread, which on a busy machine takes longer than
    connecting does.

    Args:
        seconds: When to call it.
        function: What to call; it must not raise.
    """

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self.passed = False
        self._function = function
        self._cancelled = False
        self._deciding = threading.Lock()
        self._waiting = threading.Lock()
        self._waiting.acquire()
        # No thread can be started while the interpreter shuts down, or where their number is limited; the
        # timeout of each single read still applies.
        with contextlib.suppress(RuntimeError):
            _thread.start_new_thread(self._wait, (min(seconds, threading.TIMEOUT_MAX),))

    def cancel(self) -> None:
        """Cancel the call; if the function is already running, wait for it to finish."""
        with self._deciding:
            self._cancelled = True
        self._waiting.release()

    def _wait(self, seconds: float) -> None:
        self._waiting.acquire(timeout=seconds)
        with self._deciding:
            if not self._cancelled:
                self.passed = True
                self._function()


class ConnectionWatch:
    """Ends the connection of a request from another thread, from the moment that there is one.

    `trace` is for the request's `trace` extension.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._ended = False

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note the connection that an event announces."""
        stream = info["return_value"] if event == REUSED else connected_stream(event, info)
        if stream is None or event.endswith(".start_tls.complete"):
            return
        self.close()
        sock = stream.get_extra_info("socket")
        # A descriptor of our own, because TLS takes the first one over.
        self._socket = socket.fromfd(sock.fileno(), sock.family, sock.type)
        if self._ended:
            self.end()

    def end(self) -> None:
        """End the connection, also one that is yet to be made."""
        self._ended = True
        end_socket(self._socket)

    def close(self) -> None:
        """Let go of the connection."""
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()


def end_socket(sock: socket.socket | None) -> None:
    """End a connection that another thread may be using, whose reads and writes then fail."""
    if sock is not None:
        with contextlib.suppress(OSError):
            # Not SSLSocket's own method, which would pull the TLS state from under the reader.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
