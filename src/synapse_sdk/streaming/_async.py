"""The asynchronous log stream: carries out the commands of a `Tail`, on asyncio and on trio."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import httpx

from .._family import is_a, is_read_timeout
from .._http._async import current_loop
from .._http._pool import call_in_child
from .._http._requests import close_async, read_async, send_async
from .._http._trace import connected_stream
from ._background import spawn
from ._commands import Command, Open, Opened, Read, Sleep, Write
from ._stream import GRACE, READ_SIZE, StreamState

if TYPE_CHECKING:
    from .._config import ClientConfig
    from ._tail import Tail

__all__ = ["AsyncLogStream"]


class AsyncLogStream(StreamState, AsyncIterator[str]):
    """A live job log: iterate it with `async for` for its lines.

    Nothing is connected before the first line is asked for. Use it as an asynchronous context manager, or
    await `close`, so that the connection is given back wherever the loop is left.

    Example:
        >>> async with client.tail_job_logs("raysubmit_1") as stream:  # doctest: +SKIP
        ...     async for line in stream:
        ...         print(line)
    """

    def __init__(
        self,
        tail: Tail,
        config: ClientConfig,
        http: httpx.AsyncClient,
    ) -> None:
        super().__init__(tail, config)
        self._http = http
        self._response: httpx.Response | None = None
        self._body: _Body | None = None
        self._network: Any = None
        self._closing = False
        self._waiting: anyio.CancelScope | None = None
        self._loop: object = None
        call_in_child(self, AsyncLogStream._abandon)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """Return the next line; wait for it as long as it takes."""
        try:
            return self._pop()
        except IndexError:
            pass  # not the context of what `read_more` raises
        await self.read_more()
        return self._pop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        response = getattr(self, "_response", None)
        if response is None:
            return
        network, body = self._network, self._body
        # An event loop that has ended has closed the connection.
        with contextlib.suppress(RuntimeError):
            if current_loop() is self._loop:
                spawn(partial(_close, response, network, body), anyio.CancelScope())
        warnings.warn(
            f"{self!r} was not closed; use it in 'async with'", ResourceWarning, stacklevel=2, source=self
        )

    async def close(self) -> None:
        """Close the connection at once. Lines not yet read are given up; closing twice is fine.

        May be called from any task: an iteration that waits for a line ends, without an error.
        """
        self._closing = True
        self._buffer.discard()
        if self._response is not None and current_loop() is not self._loop:
            self._abandon()
        if self._waiting is not None:
            self._waiting.cancel()
        else:
            self._finish(None)
            await self._release(self._tail.goodbye())

    aclose = close

    # --- commands

    async def read_more(self, backpressure: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until there are lines to take; end as the stream does, with StopAsyncIteration or its error.

        Args:
            backpressure: Awaited before each result that may become lines.
        """
        if self._waiting is not None:
            raise RuntimeError("the stream is being read by another task already")
        if self._response is not None and current_loop() is not self._loop:
            # A connection works in its event loop only: go on over another one.
            self._abandon()
        try:
            while True:
                if self._closing:
                    self._buffer.discard()
                    self._finish(None)
                elif self.pending:
                    return
                self._raise_if_over(StopAsyncIteration)
                await self._carry_out(self._next_command(), backpressure)
        except BaseException:
            await self._release()
            raise

    def _abandon(self) -> None:
        """Leave the connection to another event loop, or to the parent process after a fork."""
        self._response = self._network = self._body = self._waiting = None
        self._reconnect_here()

    async def _carry_out(
        self, command: Command | None, backpressure: Callable[[], Awaitable[None]] | None
    ) -> None:
        if command is None:
            return
        result: Any = None
        try:
            with anyio.CancelScope() as self._waiting:
                try:
                    result = await self._do(command)
                except Exception as exc:  # noqa: BLE001 - a transport may raise anything
                    result = self._tail.failures.from_exception(exc)
                if backpressure is not None:
                    await backpressure()
        except BaseException:
            self._interrupt()
            raise
        finally:
            self._waiting = None
        if not self._closing:
            self._answer(result)

    async def _do(self, command: Command) -> Any:
        match command:
            case Read(timeout):
                return await self._read(timeout)
            case Write(data):
                await self._network.write(data, timeout=self._tail.timeout)
            case Open():
                with anyio.move_on_after(command.timeout + GRACE):
                    return await self._open(command)
                raise self._tail.failures.no_answer(command.timeout)
            case Sleep(seconds):
                await anyio.sleep(seconds)
            case _:
                await self._release(command.goodbye)
        return None

    async def _open(self, command: Open) -> Opened:
        self._loop = current_loop()
        response = await self._send_request(command)
        self._network = response.extensions.get("network_stream")
        switchable = self._network is not None
        if command.opens_stream(response.status_code):
            if command.kind == "websocket":
                return Opened(101, response.headers, switchable=switchable)
            self._body = _Body(response)
            return Opened(200, response.headers)
        answer = await read_async(response)
        return Opened(answer.status_code, answer.headers, answer.content, switchable)

    async def _send_request(self, command: Open) -> httpx.Response:
        connections: list[Any] = []

        async def trace(event: str, info: dict[str, Any]) -> None:
            network = connected_stream(event, info)
            if network is not None:
                connections.append(network)

        request = self._build_request(self._http, command, trace)
        try:
            self._response = await send_async(self._http, request)
        except BaseException:
            # httpcore lets go of a connection that is cancelled in its TLS handshake, and leaves it open.
            with anyio.CancelScope(shield=True):
                for network in connections:
                    with contextlib.suppress(Exception):
                        await network.aclose()
            raise
        finally:
            request.extensions.pop("trace")
        return self._response

    async def _read(self, timeout: float) -> bytes | None:
        if self._body is not None:
            return await self._body.read(timeout if timeout < self._tail.timeout else None)
        try:
            data: bytes = await self._network.read(READ_SIZE, timeout=timeout)
        except Exception as exc:
            if is_read_timeout(exc):
                return None
            raise
        return data

    async def _release(self, goodbye: bytes = b"") -> None:
        response, self._response = self._response, None
        network, self._network = self._network, None
        body, self._body = self._body, None
        if response is not None:
            await _close(response, network, body, goodbye)


class _Body:
    """The body of an HTTP stream, read by httpx, for which a read that is cancelled is the end."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        # A mock transport may have given the body with the head.
        self._chunks = response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()
        self._scope = anyio.CancelScope()
        self._reading: anyio.Event | None = None
        self._result: bytes | Exception = b""

    async def read(self, timeout: float | None) -> bytes | None:
        """Return the next bytes, b"" at the end, None if none came in time.

        Args:
            timeout: Seconds to wait, after which the read goes on beside the caller; None waits for as long
                as the request allows.
        """
        try:
            if timeout is None and self._reading is None:
                return await anext(self._chunks, b"")
            return await self._read_aside(timeout)
        except Exception as exc:
            if is_a(exc, "ReadTimeout"):
                return None
            raise

    async def _read_aside(self, timeout: float | None) -> bytes | None:
        if self._reading is None:
            self._reading = anyio.Event()
            self._scope = anyio.CancelScope()
            spawn(self._read_on, self._scope)
        with anyio.move_on_after(timeout):
            await self._reading.wait()
        if not self._reading.is_set():
            return None
        self._reading = None
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    async def _read_on(self) -> None:
        done = self._reading
        assert done is not None
        try:
            self._result = await anext(self._chunks, b"")
        except Exception as exc:  # noqa: BLE001 - it is raised where the result is taken
            self._result = exc
        finally:
            done.set()

    async def close(self) -> None:
        """Close the response."""
        if self._reading is not None:
            self._scope.cancel()
            await self._reading.wait()
        await close_async(self._response, self._chunks)


async def _close(response: httpx.Response, network: Any, body: _Body | None, goodbye: bytes = b"") -> None:
    with anyio.CancelScope(shield=True):
        if goodbye and network is not None:
            with contextlib.suppress(Exception):
                await network.write(goodbye, timeout=0.05)
        if body is not None:
            await body.close()
        with contextlib.suppress(Exception):
            await response.aclose()
