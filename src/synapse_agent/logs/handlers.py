"""The log of a job: a window of it as one string, over a WebSocket, and as server-sent events."""

from __future__ import annotations

import asyncio
import codecs
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import groupby
from json.encoder import encode_basestring_ascii
from typing import Protocol, TypeVar

from aiohttp import WSCloseCode, web

from ..context import AgentContext, context_of
from ..errors import ApiError
from ..http.validation import resource_id
from ..ray.client import JsonObject
from .events import sse, sse_lines, websocket_lines
from .follow import FollowedLog, Logs
from .lines import LineSplitter, Message
from .sources import BLOCK, InterruptedReadError
from .tail import Tail
from .windows import Window, too_far

__all__ = ["LOGS", "get_job_logs", "stream_job_logs"]

_log = logging.getLogger("synapse_agent")

T = TypeVar("T")

LOGS: web.AppKey[Logs] = web.AppKey("logs", Logs)

# A client that takes nothing for so long, in seconds, is gone.
_STALLED = 600.0

# Tries of one read for a log that is asked for as one string, and the seconds between them.
_TRIES, _PAUSE = 4, 0.5


async def get_job_logs(request: web.Request) -> web.StreamResponse:
    """A window of the log as one JSON string, or, asked for an upgrade, the stream over a WebSocket."""
    window = Window.of(request)
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    job = await _job(request, stream=upgrade)
    async with request.app[LOGS].opened(job) as log:
        if not upgrade:
            return await _whole(request, log, window)
        await _check_start(log, window)
        return await _websocket(request, log, window)


async def stream_job_logs(request: web.Request) -> web.StreamResponse:
    """The stream as server-sent events."""
    window = Window.of(request, last_event_id=True)
    job = await _job(request, stream=True)
    async with request.app[LOGS].opened(job) as log:
        await _check_start(log, window)
        return await _events(request, log, window)


async def _job(request: web.Request, *, stream: bool) -> JsonObject:
    job_id = resource_id(request, "job_id")
    context = context_of(request)
    try:
        # A stream learns of what comes next; a log that is read once begins with what is true now.
        job = await _ask(request, request.app[LOGS].job if stream else context.ray.job, job_id)
    except ApiError as error:
        kept = request.app[LOGS].kept(job_id)
        if kept is None or error.status not in (404, 503):
            raise
        job = kept
    if not job.get("submission_id"):
        raise ApiError(404, f"{job_id} is a driver that nobody submitted as a job; Ray keeps no log of it")
    return job


async def _ask(request: web.Request, ask: Callable[[str], Awaitable[JsonObject]], job_id: str) -> JsonObject:
    """Return the job; ask again if Ray is away for a moment."""
    for left in reversed(range(_TRIES)):
        try:
            return await ask(job_id)
        except ApiError as error:
            if error.status != 503 or not left:
                raise
            await asyncio.sleep(_PAUSE)
            if _gone(request):
                raise
    raise AssertionError


async def _check_start(log: FollowedLog, window: Window) -> None:
    """Refuse an offset beyond the end before the upgrade, where that costs nothing to find out."""
    if window.offset and await log.is_local() and await _patiently(log, log.size) < window.offset:
        raise too_far(window.offset)


async def _patiently(log: FollowedLog, read: Callable[[], Awaitable[T]]) -> T:
    """Read, again if need be; 503 if that does not help."""
    for left in reversed(range(_TRIES)):
        try:
            return await read()
        except InterruptedReadError as error:
            if not left:
                raise log.lost(str(error)) from None
            await asyncio.sleep(_PAUSE)
    raise AssertionError


async def _whole(request: web.Request, log: FollowedLog, window: Window) -> web.StreamResponse:
    """Sent as it is read, so that a large log takes no memory."""

    async def bounds() -> tuple[int, int]:
        # Up to here and no further: a busy job may write faster than a client reads.
        return await window.bounds(log.read, await log.size())

    async def read() -> bytes:
        return await log.read(position, min(BLOCK, end - position)) if position < end else b""

    position, end = await _patiently(log, bounds)
    headers = {
        "Content-Type": "application/json",
        "Synapse-Log-Offset": str(position),
        "Synapse-Log-Next": str(end),
    }
    response = web.StreamResponse(headers=headers)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    # The first block before the response: what goes wrong until then has a status of its own.
    block = await _patiently(log, read)
    try:
        await response.prepare(request)
        await response.write(b'"')
        while block:
            await response.write(encode_basestring_ascii(decoder.decode(block))[1:-1].encode("ascii"))
            position += len(block)
            block = await _patiently(log, read)
        if position < end:
            raise too_far(end)
        last = encode_basestring_ascii(decoder.decode(b"", True))[1:]
        await response.write_eof(last.encode("ascii"))
    except ConnectionError:
        pass  # the client went away
    except (ApiError, OSError):
        # Cut short, so that nobody takes the part for the whole.
        _abort(request)
    return response


class _Sink(Protocol):
    """Where a stream goes. Every method raises ConnectionError when the client is gone."""

    @property
    def gone(self) -> bool: ...
    async def lines(self, messages: list[Message], time: float | None) -> None: ...
    async def event(self, event: dict[str, object]) -> None: ...
    async def heartbeat(self) -> None: ...


async def _pump(context: AgentContext, tail: Tail, sink: _Sink) -> bool:
    """Send the stream; whether it was sent to its end, be that an error event."""
    clock = asyncio.get_running_loop().time
    spoke = clock()
    splitter: LineSplitter | None = None
    try:
        while not sink.gone:
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
                # A fast log and a fast client must not keep the others waiting.
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


async def _send(tail: Tail, sink: _Sink, messages: list[Message]) -> None:
    """Send lines, those that arrived together in one piece."""
    if tail.arrived(messages[-1][1]) is None and tail.arrived(messages[0][1]) is None:
        await sink.lines(messages, None)
        return
    for time, group in groupby(messages, key=lambda message: tail.arrived(message[1])):
        await sink.lines(list(group), time)


class _WebSocketSink:
    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self._request = request
        self._ws = ws

    @property
    def gone(self) -> bool:
        return _gone(self._request) or self._ws.closed

    async def lines(self, messages: list[Message], time: float | None) -> None:
        transport = self._request.transport
        if transport is None or self.gone:
            raise ConnectionResetError
        transport.write(websocket_lines(messages, time=time))
        await _bounded(self._request.writer.drain())

    async def event(self, event: dict[str, object]) -> None:
        await _bounded(self._ws.send_str(json.dumps(event)))

    async def heartbeat(self) -> None:
        # Without waiting for the pong: a client that pauses is slow, not dead.
        await _bounded(self._ws.ping())


class _EventSink:
    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._request = request
        self._response = response
        # Older clients ask for anything, and print every line that is no data: an id would be a log line.
        self._ids = "text/event-stream" in request.headers.get("Accept", "")

    @property
    def gone(self) -> bool:
        return _gone(self._request)

    async def lines(self, messages: list[Message], time: float | None) -> None:
        await _bounded(self._response.write(sse_lines(messages, ids=self._ids, time=time)))

    async def event(self, event: dict[str, object]) -> None:
        await _bounded(self._response.write(sse(event, ids=self._ids)))

    async def heartbeat(self) -> None:
        await self.event({"type": "heartbeat"})


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _bounded(write: Awaitable[None]) -> None:
    async with asyncio.timeout(_STALLED):
        await write


async def _websocket(request: web.Request, log: FollowedLog, window: Window) -> web.StreamResponse:
    context = context_of(request)
    tail = Tail(log, window)
    ws = web.WebSocketResponse(compress=False, max_msg_size=64 * 1024, timeout=2.0)

    async def send() -> None:
        try:
            whole = await _pump(context, tail, _WebSocketSink(request, ws))
        except ConnectionError:
            return
        except TimeoutError:
            _abort(request)
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


async def _events(request: web.Request, log: FollowedLog, window: Window) -> web.StreamResponse:
    context = context_of(request)
    tail = Tail(log, window)
    # no-transform and X-Accel-Buffering keep proxies from holding events back.
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
        whole = await _pump(context, tail, _EventSink(request, response))
    except ConnectionError:
        pass  # the client went away
    except TimeoutError:
        _abort(request)
    finally:
        await tail.close()
    if not whole and request.transport is not None:
        # Without the last chunk the client knows that there is more, and comes again.
        request.transport.close()
    return response
