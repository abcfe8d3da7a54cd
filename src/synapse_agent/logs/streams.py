"""The stream of a log, over a WebSocket and as server-sent events."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from contextlib import suppress
from itertools import groupby
from typing import Protocol

from aiohttp import WSCloseCode, web

from ..context import AgentContext, context_of
from ..errors import ApiError
from ..http.limits import TAIL_SLOTS
from .events import sse, sse_lines, websocket_lines
from .follow import FollowedLog
from .lines import LineSplitter, Message
from .tail import Tail
from .windows import Window

__all__ = ["Sink", "abort", "event_response", "is_gone", "send_stream", "websocket_response"]

_log = logging.getLogger("synapse_agent")

# Seconds after which a client that takes nothing is given up.
_STALLED = 600.0


class Sink(Protocol):
    """The client's end of a stream. Every method raises ConnectionError when the client is gone."""

    @property
    def is_closed(self) -> bool: ...
    async def lines(self, messages: list[Message], time: float | None) -> None: ...
    async def event(self, event: dict[str, object]) -> None: ...
    async def heartbeat(self) -> None: ...


async def send_stream(context: AgentContext, tail: Tail, sink: Sink) -> bool:
    """Send the stream; return whether its last event was sent, be it an error."""
    clock = asyncio.get_running_loop().time
    spoke = clock()
    splitter: LineSplitter | None = None
    try:
        while not sink.is_closed:
            messages: list[Message] = []
            block: bytes | None = b""
            if splitter is None:
                start = await tail.begin()
                if start is not None:
                    await sink.event({"type": "connected", "offset": start})
                    splitter = LineSplitter(start)
                    spoke = clock()
                    continue
            else:
                block = await tail.next()
                messages = splitter.finish() if block is None else splitter.feed(block) if block else []
            if context.stopping.is_set():
                return False
            if messages:
                await _send(tail, sink, messages)
                spoke = clock()
                # Other clients get their turn between two blocks of a fast log.
                await asyncio.sleep(0)
            if block is None:
                await sink.event({"type": "complete", "status": tail.status})
                return True
            if clock() - spoke >= context.heartbeat:
                await sink.heartbeat()
                spoke = clock()
    except ApiError as error:
        await sink.event({"type": "error", "message": error.detail, "status_code": error.status})
        return True
    except OSError as error:
        if isinstance(error, ConnectionError | TimeoutError):
            raise
        _log.exception("reading a log failed")
        await sink.event({"type": "error", "message": "the agent can't read the log", "status_code": 500})
        return True
    return False


async def _send(tail: Tail, sink: Sink, messages: list[Message]) -> None:
    """Send lines, those with the same arrival time at once."""
    if tail.arrived(messages[-1][1]) is None and tail.arrived(messages[0][1]) is None:
        await sink.lines(messages, None)
        return
    for time, group in groupby(messages, key=lambda message: tail.arrived(message[1])):
        await sink.lines(list(group), time)


class WebSocketSink:
    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self._request = request
        self._ws = ws

    @property
    def is_closed(self) -> bool:
        return is_gone(self._request) or self._ws.closed

    async def lines(self, messages: list[Message], time: float | None) -> None:
        transport = self._request.transport
        if transport is None or self.is_closed:
            raise ConnectionResetError
        data = websocket_lines(messages, time=time)
        self._request.app[TAIL_SLOTS].sent(len(messages), len(data))
        transport.write(data)
        await _bounded(self._request.writer.drain())

    async def event(self, event: dict[str, object]) -> None:
        await _bounded(self._ws.send_str(json.dumps(event)))

    async def heartbeat(self) -> None:
        # Without waiting for the pong: a client that pauses is slow, not dead.
        await _bounded(self._ws.ping())


class EventSink:
    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._request = request
        self._response = response
        # Older clients send no such header and print every line that is not data, ids included.
        self._ids = "text/event-stream" in request.headers.get("Accept", "")

    @property
    def is_closed(self) -> bool:
        return is_gone(self._request)

    async def lines(self, messages: list[Message], time: float | None) -> None:
        data = sse_lines(messages, ids=self._ids, time=time)
        self._request.app[TAIL_SLOTS].sent(len(messages), len(data))
        await _bounded(self._response.write(data))

    async def event(self, event: dict[str, object]) -> None:
        await _bounded(self._response.write(sse(event, ids=self._ids)))

    async def heartbeat(self) -> None:
        await self.event({"type": "heartbeat"})


def is_gone(request: web.Request) -> bool:
    """Return whether the client closed its connection."""
    return request.transport is None or request.transport.is_closing()


def abort(request: web.Request) -> None:
    """Cut the connection, so that the client takes what it got for a part."""
    if request.transport is not None:
        request.transport.abort()


async def _bounded(write: Awaitable[None]) -> None:
    async with asyncio.timeout(_STALLED):
        await write


async def websocket_response(request: web.Request, log: FollowedLog, window: Window) -> web.StreamResponse:
    context = context_of(request)
    tail = Tail(log, window)
    ws = web.WebSocketResponse(compress=False, max_msg_size=64 * 1024, timeout=2.0)

    async def send() -> None:
        try:
            whole = await send_stream(context, tail, WebSocketSink(request, ws))
        except ConnectionError:
            return
        except TimeoutError:
            abort(request)
            return
        code = WSCloseCode.OK if whole else WSCloseCode.GOING_AWAY
        with suppress(ConnectionError):
            await ws.close(code=code)

    async def receive() -> None:
        # Pings are answered, and a close is noticed, only while something receives.
        async for _ in ws:
            pass

    try:
        await ws.prepare(request)
        tasks = [asyncio.ensure_future(send()), asyncio.ensure_future(receive())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                    _log.error("a log stream failed", exc_info=outcome)
    finally:
        await tail.close()
    return ws


async def event_response(request: web.Request, log: FollowedLog, window: Window) -> web.StreamResponse:
    context = context_of(request)
    tail = Tail(log, window)
    # no-transform and X-Accel-Buffering keep proxies from delaying events.
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache, no-transform",
            "X-Accel-Buffering": "no",
        }
    )
    whole = False
    try:
        await response.prepare(request)
        whole = await send_stream(context, tail, EventSink(request, response))
    except ConnectionError:
        pass  # the client went away
    except TimeoutError:
        abort(request)
    finally:
        await tail.close()
    if not whole and request.transport is not None:
        # Without the last chunk the client knows that the stream is not complete, and reconnects.
        request.transport.close()
    return response
