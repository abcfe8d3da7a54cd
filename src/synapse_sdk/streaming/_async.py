"""The asynchronous log stream: `Tail`'s steps over an `httpx.AsyncClient`, on asyncio and on trio."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import httpx

from synapse_sdk._errors import error_from_exception
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.streaming._background import spawn
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
from synapse_sdk.streaming._tail import Command, Open, Opened, Read, Sleep, Write

if TYPE_CHECKING:
    from synapse_sdk._connection import Connection
    from synapse_sdk._transport._asyncio_network import AsyncioStream
    from synapse_sdk.streaming._tail import Tail

__all__ = ["AsyncLogStream"]

_ASYNCIO_STREAM = ("synapse_sdk._transport._asyncio_network", "AsyncioStream")


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
        connection: Connection,
        http: httpx.AsyncClient,
    ) -> None:
        super().__init__(tail)
        self._connection = connection
        self._http = http
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._network: Any = None
        self._closing = False
        self._receiver: AsyncioStream | None = None
        self._waiting: anyio.CancelScope | AsyncioStream | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """Give the next line; wait for it as long as it takes."""
        try:
            return self._pop()
        except IndexError:
            pass  # not the context of what `fill` raises
        await self.fill()
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
        network, chunks = self._network, self._chunks
        # Where there is no event loop any more, its end has closed the connection.
        with contextlib.suppress(RuntimeError):
            spawn(partial(_close, response, network, chunks), anyio.CancelScope())
        warnings.warn(
            f"{self!r} was not closed; use it in 'async with'", ResourceWarning, stacklevel=2, source=self
        )

    async def close(self) -> None:
        """Close the connection at once. Lines not yet read are given up; closing twice is fine.

        May be called from any task: an iteration that waits for a line ends, without an error.
        """
        self._closing = True
        self._tail.log.give_up()
        if self._waiting is not None:
            self._waiting.cancel()
        else:
            self._finish(None)
            await self._release(self._tail.goodbye())

    aclose = close

    # --- steps

    async def fill(self, gate: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until there are lines to take; end as the stream does, with StopAsyncIteration or its error.

        Args:
            gate: Awaited whenever something came in that may become lines.
        """
        lines = self._tail.log.lines
        if self._waiting is not None:
            raise RuntimeError("the stream is being read by another task already")
        try:
            while True:
                if self._closing:
                    self._tail.log.give_up()
                    self._finish(None)
                elif lines:
                    return
                self._raise_if_over(StopAsyncIteration)
                command = self._command
                if gate is None and self._receiver is not None and type(command) is Read:
                    await self._receive(self._receiver, command.timeout)
                else:
                    await self._step(gate)
        except BaseException:
            await self._release()
            raise

    async def _receive(self, receiver: AsyncioStream, timeout: float) -> None:
        """Take a step that reads, at less than `_step` costs."""
        self._waiting = receiver
        try:
            result: Any = await receiver.receive(timeout)
        except Exception as exc:  # noqa: BLE001 - whatever a transport raises is its connection's
            result = self._failed(exc)
        except BaseException:
            self._interrupt()
            raise
        finally:
            self._waiting = None
        if not self._closing:
            self._send(result)

    async def _step(self, gate: Callable[[], Awaitable[None]] | None) -> None:
        command = self._next_command()
        if command is None:
            return
        result: Any = None
        try:
            with anyio.CancelScope() as self._waiting:
                try:
                    result = await self._do(command)
                except ClientError as exc:
                    result = exc
                except Exception as exc:  # noqa: BLE001 - whatever a transport raises is its connection's
                    result = self._failed(exc)
                if gate is not None:
                    await gate()
        except BaseException:
            self._interrupt()
            raise
        finally:
            self._waiting = None
        if not self._closing:
            self._send(result)

    def _failed(self, exc: Exception) -> ClientError:
        return error_from_exception(exc, operation=self._tail.operation, agent=self._connection.agent)

    async def _do(self, command: Command) -> Any:
        match command:
            case Read(timeout):
                return await self._read(timeout)
            case Write(data):
                await self._network.write(data, timeout=self._tail.timeout)
            case Open():
                with anyio.move_on_after(command.timeout + GRACE):
                    return await self._open(command)
                raise self._tail.unanswered(command.timeout)
            case Sleep(seconds):
                await anyio.sleep(seconds)
            case _:
                await self._release(command.goodbye)
        return None

    async def _open(self, command: Open) -> Opened:
        response = await self._send_request(command)
        self._network = network_stream(response)
        if command.streams(response.status_code):
            if command.kind == "websocket":
                return Opened(101, response.headers, switchable=self._network is not None)
            data = unread(response)
            if data is not None:
                return Opened(200, response.headers, unread=data)
            self._chunks = _chunks(response)
            return Opened(200, response.headers)
        self._chunks = _chunks(response)
        body = b""
        async for chunk in self._chunks:
            body += chunk
            if len(body) >= MAX_BODY:
                break
        return Opened(response.status_code, response.headers, body, self._network is not None)

    async def _send_request(self, command: Open) -> httpx.Response:
        connections: list[Any] = []

        async def trace(event: str, info: dict[str, Any]) -> None:
            network = connected_stream(event, info)
            if network is not None:
                connections.append(network)

        request = stream_request(self._http, self._connection, command, trace)
        try:
            self._response = await self._http.send(request, auth=None, stream=True, follow_redirects=False)
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
        if self._receiver is not None:
            return await self._receiver.receive(timeout)
        if self._chunks is not None:
            return await anext(self._chunks, b"")
        try:
            data: bytes = await self._network.read(READ_SIZE, timeout=timeout)
        except Exception as exc:
            if type(exc).__name__ == "ReadTimeout":
                return None
            raise
        self._receiver = beneath(self._network, *_ASYNCIO_STREAM)
        return data

    async def _release(self, goodbye: bytes = b"") -> None:
        response, self._response = self._response, None
        network, self._network = self._network, None
        chunks, self._chunks = self._chunks, None
        self._receiver = None
        if response is not None:
            await _close(response, network, chunks, goodbye)


def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    # A mock transport may have given the body with the head.
    return response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()


async def _close(
    response: httpx.Response, network: Any, chunks: AsyncIterator[bytes] | None, goodbye: bytes = b""
) -> None:
    with anyio.CancelScope(shield=True):
        if goodbye and network is not None:
            with contextlib.suppress(Exception):
                await network.write(goodbye, timeout=0.05)
        with contextlib.suppress(Exception):
            await response.aclose()
        # httpx nests generators in each other, which trio wants ended, not collected. Behind a closed
        # connection each ends by its own error.
        if chunks is not None:
            with contextlib.suppress(Exception):
                async for _ in chunks:
                    pass
