"""The synchronous log stream: carries out the commands of a `Tail`."""

from __future__ import annotations

import _thread
import contextlib
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from .._family import is_a, is_read_timeout
from .._http._deadline import ConnectionWatch, Deadline, end_socket
from .._http._pool import call_in_child
from .._http._requests import read, send
from ._commands import Close, Command, Open, Opened, Read, Sleep, Write
from ._stream import GRACE, READ_SIZE, StreamState

if TYPE_CHECKING:
    from .._config import ClientConfig
    from ._tail import Tail

__all__ = ["LogStream"]

_NO_BACKPRESSURE = contextlib.nullcontext()


class LogStream(StreamState, Iterator[str]):
    """A live job log: iterate it for its lines.

    It connects when the first line is asked for. Use it as a context manager, or call `close`, to give the
    connection back before the log ends; otherwise that happens when the stream is garbage collected.

    Example:
        >>> with client.tail_job_logs("raysubmit_1") as stream:  # doctest: +SKIP
        ...     for line in stream:
        ...         print(line)
    """

    def __init__(self, tail: Tail, config: ClientConfig, http: httpx.Client) -> None:
        super().__init__(tail, config)
        self._http = http
        self._response: httpx.Response | None = None
        self._body: _Body | None = None
        self._network: Any = None
        self._connecting: ConnectionWatch | None = None
        self._closing = threading.Event()
        self._busy = threading.Lock()
        call_in_child(self, LogStream._start_in_child)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Return the next line; wait for it as long as it takes."""
        while True:
            if not self.pending:
                self.read_more()
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
        self._buffer.discard()
        if self._busy.acquire(blocking=False):
            try:
                self._finish(None)
                self._release(self._tail.goodbye())
            finally:
                self._busy.release()
        else:
            # Another thread is connecting or reading; it wakes up when its socket ends, and closes the rest.
            self._end_socket()

    def _end_socket(self) -> None:
        if self._connecting is not None:
            self._connecting.end()
        elif self._network is not None:
            end_socket(self._network.get_extra_info("socket"))

    def _start_in_child(self) -> None:
        """Leave the connection, and locks that are held, to the parent process after a fork."""
        self._busy = threading.Lock()
        self._closing = threading.Event()
        network, self._network = self._network, None
        self._response = self._body = self._connecting = None
        if network is not None:
            # This closes a descriptor, and sends nothing.
            network.get_extra_info("socket").close()
        self._reconnect_here()

    # --- commands

    def read_more(self, backpressure: AbstractContextManager[object] = _NO_BACKPRESSURE) -> None:
        """Wait until there are lines to take; end as the stream does, with StopIteration or its error.

        Args:
            backpressure: Entered around each result that may become lines; it may wait.
        """
        with self._busy:
            try:
                while True:
                    if self._closing.is_set():
                        self._buffer.discard()
                        self._finish(None)
                    elif self.pending:
                        return
                    self._raise_if_over(StopIteration)
                    self._carry_out(self._next_command(), backpressure)
            except BaseException:
                self._release()
                raise

    def _carry_out(self, command: Command | None, backpressure: AbstractContextManager[object]) -> None:
        if command is None:
            return
        result: Any
        try:
            result = self._read(command.timeout) if isinstance(command, Read) else self._do(command)
        except Exception as exc:  # noqa: BLE001 - a transport may raise anything
            result = self._tail.failures.from_exception(exc)
        except BaseException:
            self._interrupt()
            raise
        with backpressure:
            if not self._closing.is_set():
                self._answer(result)

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
        self._connecting = ConnectionWatch()
        if self._closing.is_set():
            self._connecting.end()
        # httpx bounds each read; a peer that sends its answer byte by byte is bounded by this.
        deadline = Deadline(command.timeout + GRACE, self._end_socket)
        try:
            response = self._send_request(command, self._connecting)
            switchable = self._network is not None
            if command.opens_stream(response.status_code):
                if command.kind == "websocket":
                    return Opened(101, response.headers, switchable=switchable)
                self._body = _Body(response)
                return Opened(200, response.headers)
            answer = read(response)
            return Opened(answer.status_code, answer.headers, answer.content, switchable)
        except Exception as exc:
            if deadline.passed:
                raise self._tail.failures.no_answer(command.timeout) from exc
            raise
        finally:
            deadline.cancel()
            self._connecting.close()
            self._connecting = None

    def _send_request(self, command: Open, watch: ConnectionWatch) -> httpx.Response:
        request = self._build_request(self._http, command, watch.trace)
        try:
            self._response = send(self._http, request)
        finally:
            # httpx keeps the request with the response.
            request.extensions.pop("trace")
        self._network = self._response.extensions.get("network_stream")
        return self._response

    def _read(self, timeout: float) -> bytes | None:
        if self._body is not None:
            return self._body.read(timeout if timeout < self._tail.timeout else None)
        try:
            data: bytes = self._network.read(READ_SIZE, timeout=timeout)
        except Exception as exc:
            if is_read_timeout(exc):
                return None
            raise
        return data

    def _release(self, goodbye: bytes = b"") -> None:
        response, self._response = self._response, None
        network, self._network = self._network, None
        body, self._body = self._body, None
        if response is None:
            return
        if goodbye and network is not None:
            with contextlib.suppress(Exception):
                network.write(goodbye, timeout=0.05)
        if body is not None and body.is_reading and network is not None:
            end_socket(network.get_extra_info("socket"))
        with contextlib.suppress(Exception):
            response.close()


class _Body:
    """The body of an HTTP stream, read by httpx, for which a read that times out is the end."""

    def __init__(self, response: httpx.Response) -> None:
        # A mock transport may have given the body with the head.
        self._chunks = response.iter_bytes() if response.is_stream_consumed else response.iter_raw()
        self._result: queue.SimpleQueue[bytes | Exception] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether a read goes on in another thread."""
        return self._result is not None

    def read(self, timeout: float | None) -> bytes | None:
        """Return the next bytes, b"" at the end, None if none came in time.

        Args:
            timeout: Seconds to wait, after which the read goes on beside the caller; None waits for as long
                as the request allows.
        """
        try:
            if timeout is None and self._result is None:
                return next(self._chunks, b"")
            return self._read_aside(timeout)
        except Exception as exc:
            if is_a(exc, "ReadTimeout"):
                return None
            raise

    def _read_aside(self, timeout: float | None) -> bytes | None:
        result = self._result or queue.SimpleQueue[bytes | Exception]()
        if self._result is None:
            try:
                _thread.start_new_thread(self._read_into, (result,))
            except RuntimeError:
                return None  # no more threads can be started
            self._result = result
        try:
            data = result.get(timeout=timeout)
        except queue.Empty:
            return None
        self._result = None
        if isinstance(data, Exception):
            raise data
        return data

    def _read_into(self, result: queue.SimpleQueue[bytes | Exception]) -> None:
        try:
            result.put(next(self._chunks, b""))
        except Exception as exc:  # noqa: BLE001 - it is raised where the result is taken
            result.put(exc)
