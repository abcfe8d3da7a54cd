"""Answers requests for the log of a job: a window of it as one string, or a stream."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Awaitable, Callable
from json.encoder import encode_basestring_ascii
from typing import TypeVar

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.limits import TAIL_SLOTS
from ..http.validation import resource_id
from ..ray.client import JsonObject
from .follow import FollowedLog
from .registry import Logs
from .sources import BLOCK, InterruptedReadError
from .streams import abort, event_response, is_gone, websocket_response
from .windows import Window, too_far

__all__ = ["LOGS", "get_job_logs", "stream_job_logs"]

T = TypeVar("T")

LOGS: web.AppKey[Logs] = web.AppKey("logs", Logs)

# Tries of one request to the cluster, and the seconds between them.
_TRIES, _PAUSE = 4, 0.5


async def get_job_logs(request: web.Request) -> web.StreamResponse:
    """Answer a window of the log as one JSON string, or the stream where a WebSocket is asked for."""
    window = Window.of(request)
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _stream(request, window, websocket_response)
    job = await _job(request, stream=False)
    async with request.app[LOGS].opened(job) as log:
        return await _whole(request, log, window)


async def stream_job_logs(request: web.Request) -> web.StreamResponse:
    """Answer the stream as server-sent events."""
    return await _stream(request, Window.of(request, last_event_id=True), event_response)


async def _stream(
    request: web.Request,
    window: Window,
    respond: Callable[[web.Request, FollowedLog, Window], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Answer a stream, in one of the places that there are for streams."""
    job = await _job(request, stream=True)
    with request.app[TAIL_SLOTS].taken(job["submission_id"]):
        async with request.app[LOGS].opened(job) as log:
            await _check_start(log, window)
            return await respond(request, log, window)


async def _job(request: web.Request, *, stream: bool) -> JsonObject:
    job_id = resource_id(request, "job_id")
    context = context_of(request)
    try:
        # A stream sees later changes itself. A log that is read once needs the job's state as of now.
        job = await _ask(request, request.app[LOGS].job if stream else context.ray.job, job_id)
    except ApiError as error:
        kept = request.app[LOGS].spooled_job(job_id)
        if kept is None or error.status not in (404, 503):
            raise
        job = kept
    if not job.get("submission_id"):
        raise ApiError(404, f"{job_id} is a driver that nobody submitted as a job; Ray keeps no log of it")
    return job


async def _ask(request: web.Request, ask: Callable[[str], Awaitable[JsonObject]], job_id: str) -> JsonObject:
    """Return the job; ask again if Ray does not answer for a moment."""
    for left in reversed(range(_TRIES)):
        try:
            return await ask(job_id)
        except ApiError as error:
            if error.status != 503 or not left:
                raise
            await asyncio.sleep(_PAUSE)
            if is_gone(request):
                raise
    raise AssertionError


async def _check_start(log: FollowedLog, window: Window) -> None:
    """Refuse an offset beyond the end before the upgrade, if the log is a file on this machine."""
    if window.offset and await log.is_local() and await _with_retries(log, log.size) < window.offset:
        raise too_far(window.offset)


async def _with_retries(log: FollowedLog, read: Callable[[], Awaitable[T]]) -> T:
    """Read, up to four times; 503 if each try fails."""
    for left in reversed(range(_TRIES)):
        try:
            return await read()
        except InterruptedReadError as error:
            if not left:
                raise log.lost(str(error)) from None
            await asyncio.sleep(_PAUSE)
    raise AssertionError


async def _whole(request: web.Request, log: FollowedLog, window: Window) -> web.StreamResponse:
    """Answer the log as one string, sent as it is read so that a large one takes no memory."""

    async def bounds() -> tuple[int, int]:
        # The end is fixed here, since a busy job may write faster than a client reads.
        return await window.bounds(log.read, await log.size())

    async def read() -> bytes:
        return await log.read(position, min(BLOCK, end - position)) if position < end else b""

    last = await _last_lines(log, window)
    if last is not None:
        return web.json_response(last)
    position, end = await _with_retries(log, bounds)
    headers = {
        "Content-Type": "application/json",
        "Synapse-Log-Offset": str(position),
        "Synapse-Log-Next": str(end),
    }
    response = web.StreamResponse(headers=headers)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    # The first block is read before the response starts, so that its errors have a status.
    block = await _with_retries(log, read)
    try:
        await response.prepare(request)
        await response.write(b'"')
        while block:
            await response.write(encode_basestring_ascii(decoder.decode(block))[1:-1].encode("ascii"))
            position += len(block)
            block = await _with_retries(log, read)
        if position < end:
            raise too_far(end)
        last = encode_basestring_ascii(decoder.decode(b"", True))[1:]
        await response.write_eof(last.encode("ascii"))
    except ConnectionError:
        pass  # the client went away
    except (ApiError, OSError):
        # The connection is cut, so that the client does not take the part for the whole.
        abort(request)
    return response


async def _last_lines(log: FollowedLog, window: Window) -> str | None:
    """Return the last lines if their position in the log is not known, else None."""
    count = window.tail
    if count is None or window.offset:
        return None
    data = await _with_retries(log, lambda: log.last_lines(count))
    if data is None:
        return None

    async def read(position: int, limit: int) -> bytes:
        return data[position : position + limit]

    start, end = await window.bounds(read, len(data))
    return data[start:end].decode("utf-8", "replace")
