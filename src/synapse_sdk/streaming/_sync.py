"""The synchronous log stream: `Tail`'s steps over an `httpx.Client`."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from synapse_sdk._errors import error_from_exception
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.streaming._deadline import Deadline
from synapse_sdk.streaming._http import (
    GRACE,
    MAX_BODY,
    READ_SIZE,
    beneath,
    connected_stream,
    network_stream,
    stream_request,
    unread,
)
from synapse_sdk.streaming._stream import StreamState
from synapse_sdk.streaming._tail import Close, Open, Opened, Read, Sleep, Write

if TYPE_CHECKING:
    from synapse_sdk._connection import Connection
    from synapse_sdk.streaming._tail import Tail

__all__ = ["LogStream"]


class LogStream(StreamState, Iterator[str]):
    """A live job log: iterate it for its lines.

    Nothing is connected before the first line is asked for. Use it as a context manager, or call `close`, to
    give the connection back before the log ends; without, that happens when the stream is let go.

    Example:
        >>> with client.tail_job_logs("raysubmit_1") as stream:  # doctest: +SKIP
        ...     for line in stream:
        ...         print(line)
    """

    def __init__(self, tail: Tail, connection: Connection, http: httpx.Client) -> None:
        super().__init__(tail)
        self._connection = connection
        self._http = http
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] | None = None
        self._network: Any = None
        self._socket: socket.socket | None = None
        self._socket_timeout: float | None = None
        self._connecting: socket.socket | None = None
        self._closing = threading.Event()
        self._busy = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Give the next line; wait for it as long as it takes."""
        while True:
            if not self.pending:
                self.fill()
            try:
                return self._pop()
            except IndexError:  # `close` emptied it in between
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # While the interpreter shuts down, a thread that it stopped may hold a lock of the pool for ever.
        if not sys.is_finalizing():
            with contextlib.suppress(Exception):
                self.close()

    def close(self) -> None:
        """Close the connection at once. Lines not yet read are given up; closing twice is fine.

        May be called from any thread: an iteration that waits for a line ends, without an error.
        """
        self._closing.set()
        self._tail.log.give_up()
        if self._busy.acquire(blocking=False):
            try:
                self._finish(None)
                self._release(self._tail.goodbye())
            finally:
                self._busy.release()
        else:
            # Another thread is connecting or reading; the end of its socket wakes it, and it gives that back.
            self._end_socket()

    def _end_socket(self) -> None:
        network = self._network
        sock = self._connecting if network is None else network.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own method, which would pull the TLS state from under the reader.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    # --- steps

    def fill(self, gate: AbstractContextManager[object] | None = None) -> None:
        """Wait until there are lines to take; end as the stream does, with StopIteration or its error.

        Args:
            gate: Entered whenever something came in that may become lines.
        """
        lines = self._tail.log.lines
        with self._busy:
            try:
                while True:
                    if self._closing.is_set():
                        self._tail.log.give_up()
                        self._finish(None)
                    elif lines:
                        return
                    self._raise_if_over(StopIteration)
                    self._step(gate)
            except BaseException:
                self._release()
                raise

    def _step(self, gate: AbstractContextManager[object] | None) -> None:
        command = self._next_command()
        if command is None:
            return
        result: Any = None
        try:
            # The one step that is taken again and again.
            result = self._read(command.timeout) if isinstance(command, Read) else self._do(command)
        except ClientError as exc:
            result = exc
        except Exception as exc:  # noqa: BLE001 - whatever a transport raises is an error of the connection
            result = error_from_exception(exc, operation=self._tail.operation, agent=self._connection.agent)
        except BaseException:
            self._interrupt()
            raise
        if gate is not None:
            with gate:
                if not self._closing.is_set():
                    self._send(result)
        elif not self._closing.is_set():
            self._send(result)

    def _do(self, command: Write | Open | Sleep | Close) -> Any:
        match command:
            case Write(data):
                self._network.write(data, timeout=self._tail.timeout)
            case Open():
                return self._open(command)
            case Sleep(seconds):
                self._closing.wait(seconds)
            case _:
                self._release(command.goodbye)
        return None

    def _open(self, command: Open) -> Opened:
        # httpx bounds each read; a peer that sends its answer byte by byte is bounded by this.
        deadline = Deadline(command.timeout + GRACE, self._end_socket)
        try:
            response = self._send_request(command)
            self._network = network_stream(response)
            if command.streams(response.status_code):
                if command.kind == "websocket":
                    return Opened(101, response.headers, switchable=self._network is not None)
                data = unread(response)
                if data is not None:
                    return Opened(200, response.headers, unread=data)
                self._chunks = _chunks(response)
                return Opened(200, response.headers)
            body = b""
            for chunk in _chunks(response):
                body += chunk
                if len(body) >= MAX_BODY:
                    break
            return Opened(response.status_code, response.headers, body, self._network is not None)
        except Exception as exc:
            if deadline.passed:
                raise self._tail.unanswered(command.timeout) from exc
            raise
        finally:
            deadline.cancel()
            self._forget_socket()

    def _send_request(self, command: Open) -> httpx.Response:
        request = stream_request(self._http, self._connection, command, self._trace)
        try:
            self._response = self._http.send(request, auth=None, stream=True, follow_redirects=False)
        finally:
            # It would keep this stream alive until the garbage collector comes.
            request.extensions.pop("trace")
        return self._response

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Learn of the socket as soon as there is one, so that it can be ended before the answer is there."""
        network = connected_stream(event, info)
        if network is not None:
            self._forget_socket()
            # A descriptor of our own, because TLS takes the first one over.
            self._connecting = network.get_extra_info("socket").dup()
            if self._closing.is_set():
                self._end_socket()

    def _forget_socket(self) -> None:
        sock, self._connecting = self._connecting, None
        if sock is not None:
            sock.close()

    def _read(self, timeout: float) -> bytes | None:
        sock = self._socket
        if sock is not None:
            if timeout != self._socket_timeout or sock.gettimeout() is not None:
                _limit_reads(sock, timeout)
                self._socket_timeout = timeout
            try:
                return sock.recv(READ_SIZE)
            except (TimeoutError, BlockingIOError):
                return None
        if self._chunks is not None:
            return next(self._chunks, b"")
        try:
            data: bytes = self._network.read(READ_SIZE, timeout=timeout)
        except Exception as exc:
            if type(exc).__name__ == "ReadTimeout":
                return None
            raise
        stream = beneath(self._network, "httpcore._backends.sync", "SyncStream")
        if stream is not None:
            self._socket, self._socket_timeout = stream.get_extra_info("socket"), None
        return data

    def _release(self, goodbye: bytes = b"") -> None:
        response, self._response = self._response, None
        network, self._network = self._network, None
        self._socket = self._chunks = None
        if response is None:
            return
        if goodbye and network is not None:
            with contextlib.suppress(Exception):
                network.write(goodbye, timeout=0.05)
        with contextlib.suppress(Exception):
            response.close()


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    # A mock transport may have given the body with the head.
    return response.iter_bytes() if response.is_stream_consumed else response.iter_raw()


def _limit_reads(sock: socket.socket, seconds: float) -> None:
    """Have a read of a socket end after so many seconds, with TimeoutError or BlockingIOError."""
    if type(sock) is not socket.socket or sys.platform != "linux" or sys.maxsize < 1 << 32:
        sock.settimeout(seconds)
        return
    # The kernel's own timeout saves a poll before each read.
    sock.settimeout(None)
    whole, part = divmod(max(seconds, 1e-6), 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(whole), int(part * 1e6)))
