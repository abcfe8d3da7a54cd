"""The log of a job: whole, over a WebSocket, and as server-sent events."""

from __future__ import annotations

import asyncio
import codecs
import json
import logging
from collections.abc import Awaitable
from contextlib import aclosing, suppress
from json.encoder import encode_basestring_ascii
from typing import Protocol

from aiohttp import WSCloseCode, web

from synapse_agent._errors import ApiError
from synapse_agent._gateway import Gateway, gateway_of
from synapse_agent._log_events import sse, sse_lines, websocket_lines
from synapse_agent._log_lines import LineSplitter, Message
from synapse_agent._log_tail import Tail, open_tail, read_now
from synapse_agent._ray import JsonObject
from synapse_agent._validation import resource_id

__all__ = ["get_job_logs", "stream_job_logs"]

_log = logging.getLogger("synapse_agent")

# A client that takes nothing for so long, in seconds, is gone.
_STALLED = 600.0


async def get_job_logs(request: web.Request) -> web.StreamResponse:
    """The log so far as one JSON string, or, asked for an upgrade, the stream over a WebSocket."""
    job = await _job(request)
    if request.headers.get("Upgrade", "").lower() == "websocket":
        offset = _offset(request.query.get("offset"), "offset")
        return await _websocket(request, await open_tail(gateway_of(request), job, offset), offset)
    return await _whole(request, job)


async def stream_job_logs(request: web.Request) -> web.StreamResponse:
    """The stream as server-sent events."""
    job = await _job(request)
    last = request.headers.get("Last-Event-ID")
    offset = _offset(last, "Last-Event-ID") if last else _offset(request.query.get("offset"), "offset")
    return await _events(request, await open_tail(gateway_of(request), job, offset), offset)


async def _job(request: web.Request) -> JsonObject:
    job_id = resource_id(request, "job_id")
    job = await gateway_of(request).ray.job(job_id)
    if not job.get("submission_id"):
        raise ApiError(404, f"{job_id} is a driver that nobody submitted as a job; Ray keeps no log of it")
    return job


def _offset(text: str | None, name: str) -> int:
    if not text:
        return 0
    # isdecimal alone takes other scripts' digits; 18 digits fit whatever reads them.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ApiError(400, f"{name} must be a number of bytes")
    return int(text)


async def _whole(request: web.Request, job: JsonObject) -> web.StreamResponse:
    """Sent as it is read, so that a large log takes no memory."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async with aclosing(read_now(gateway_of(request), job)) as blocks:
        # The first block before the response: what goes wrong until then has a status of its own.
        block = await anext(blocks, b"")
        try:
            await response.prepare(request)
            await response.write(b'"')
            while block:
                await response.write(encode_basestring_ascii(decoder.decode(block))[1:-1].encode("ascii"))
                block = await anext(blocks, b"")
            last = encode_basestring_ascii(decoder.decode(b"", True))[1:]
            await response.write_eof(last.encode("ascii"))
        except ConnectionError:
            pass  # the client went away
        except ApiError:
            # Cut short, so that nobody takes the part for the whole.
            _abort(request)
    return response


class _Sink(Protocol):
    """Where a stream goes. Every method raises ConnectionError when the client is gone."""

    @property
    def gone(self) -> bool: ...
    async def lines(self, messages: list[Message]) -> None: ...
    async def event(self, event: dict[str, object]) -> None: ...
    async def heartbeat(self) -> None: ...


async def _pump(gateway: Gateway, tail: Tail, sink: _Sink, offset: int) -> bool:
    """Send the stream; whether it was sent to its end, be that an error event."""
    clock = asyncio.get_running_loop().time
    splitter = LineSplitter(offset)
    try:
        await sink.event({"type": "connected"})
        spoke = clock()
        while not sink.gone:
            block = await tail.next()
            if gateway.stopping.is_set():
                return False
            messages = splitter.finish() if block is None else splitter.feed(block) if block else []
            if messages:
                await sink.lines(messages)
                spoke = clock()
                # A fast log and a fast client must not keep the others waiting.
                await asyncio.sleep(0)
            if block is None:
                await sink.event({"type": "complete", "status": tail.status})
                return True
            if clock() - spoke >= gateway.heartbeat:
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


class _WebSocketSink:
    def __init__(self, request: web.Request, ws: web.WebSocketResponse) -> None:
        self._request = request
        self._ws = ws

    @property
    def gone(self) -> bool:
        return _gone(self._request) or self._ws.closed

    async def lines(self, messages: list[Message]) -> None:
        transport = self._request.transport
        if transport is None or self.gone:
            raise ConnectionResetError
        transport.write(websocket_lines(messages))
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

    async def lines(self, messages: list[Message]) -> None:
        await _bounded(self._response.write(sse_lines(messages, ids=self._ids)))

    async def event(self, event: dict[str, object]) -> None:
        await _bounded(self._response.write(sse(event)))

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


async def _websocket(request: web.Request, tail: Tail, offset: int) -> web.StreamResponse:
    gateway = gateway_of(request)
    ws = web.WebSocketResponse(compress=False, max_msg_size=64 * 1024, timeout=2.0)

    async def send() -> None:
        try:
            whole = await _pump(gateway, tail, _WebSocketSink(request, ws), offset)
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


async def _events(request: web.Request, tail: Tail, offset: int) -> web.StreamResponse:
    gateway = gateway_of(request)
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
        whole = await _pump(gateway, tail, _EventSink(request, response), offset)
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
