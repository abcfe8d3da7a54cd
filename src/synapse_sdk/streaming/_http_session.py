"""One HTTP connection of a tail: a stream of events or of plain text, or the search for its start. No I/O."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from .._exceptions import ClientError, ClientTimeoutError, ServerError, StreamError
from .._http._errors import media_type
from .._rest._log_window import LogWindow, WindowReader
from ._commands import Command, Open, Opened, Read
from ._plain_text import PlainText
from ._session import PASSING, READ_TO_FLUSH, Dropped, Session, Steps, TailState
from ._sse import EventSource

__all__ = ["HttpSession", "find_start"]

_EVENT_TYPES = frozenset({"", "text/event-stream", "application/x-ndjson", "application/json"})
_PLAIN_TYPES = frozenset({"text/plain", "application/octet-stream"})


class HttpSession(Session):
    """A connection over HTTP.

    Args:
        state: The state of the tail.
        max_size: Bytes that are kept of one message.
    """

    def __init__(self, state: TailState, max_size: int) -> None:
        super().__init__(state)
        self._max_size = max_size

    def run(self) -> Steps:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-store"}
        window = self.log.window()
        if "tail" not in window and "offset" in window:
            headers["Last-Event-ID"] = window.pop("offset")
        path = f"jobs/{self.state.job_id}/logs/stream/"
        opened = yield Open(path, window, headers, self.state.timeout, "stream")
        if isinstance(opened, ClientError):
            return Dropped(opened, attached=False)
        if opened.status != 200:
            return _refused(self.state, opened)
        source = self._source(opened)
        self.attach()
        log = self.log
        read = Read(self.state.timeout)
        while True:
            data = yield READ_TO_FLUSH if log.has_ambiguous_text else read
            if data is None and log.has_ambiguous_text:
                log.flush()
                continue
            if not isinstance(data, bytes):
                why = f"the agent sent nothing for {self.state.timeout:g} s"
                error = data or self.failures.error(ClientTimeoutError, 408, why)
                end = self.feed(source.end(cut=True))
                return Dropped(error) if end is None else end
            end = self.feed(source.receive(data) if data else source.end(cut=False))
            if end is not None:
                return end
            if source.too_long:
                raise log.buffer.limit_error("max_bytes")
            if not data:
                why = "the agent ended the stream while the job was running"
                return Dropped(self.failures.error(StreamError, 503, why), clean=not source.cut)
            if self.is_stalled() and not source.inside:
                return self.stalled()

    def _source(self, opened: Opened) -> EventSource | PlainText:
        """Return what decodes the body.

        Raises:
            StreamError: 503, the body is compressed.
            ServerError: 500, it is something else than a log.
        """
        content_type = media_type(opened.headers)
        encoding = opened.headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            why = f"the agent compressed the stream ({encoding}) unasked"
            raise self.failures.error(StreamError, 503, why)
        if content_type in _PLAIN_TYPES:
            return PlainText()
        if content_type not in _EVENT_TYPES:
            raise self.failures.error(
                ServerError,
                500,
                f"the log stream was answered with content type {content_type!r}, not text/event-stream",
                hint="something between client and agent may have answered in its place",
            )
        return EventSource(max_size=self._max_size, max_dropped=self.log.buffer.limits.max_bytes)


def find_start(state: TailState, tail: int | None, offset: int) -> Generator[Command, Any, Dropped | None]:
    """Find out where a stream begins, from an agent that can only send the whole log.

    Args:
        state: The state of the tail; its log is placed there.
        tail: The stream begins with the last so many lines of the log as it is now,
        offset: but not before this byte.

    Returns:
        Why the log could not be had, or None.
    """
    window = LogWindow({"tail": tail})
    headers = {"Accept": "application/json, text/plain", "Accept-Encoding": "identity"}
    opened = yield Open(f"jobs/{state.job_id}/logs/", {"tail": str(tail)}, headers, state.timeout, "stream")
    if isinstance(opened, ClientError):
        return Dropped(opened, attached=False)
    if opened.status != 200:
        return _refused(state, opened)
    start = window.start(opened.headers)
    if start is None:
        kind = media_type(opened.headers)
        if kind not in _PLAIN_TYPES | {"", "application/json"}:
            raise state.failures.error(ServerError, 500, f"the log was answered with content type {kind!r}")
        reader = WindowReader(window, opened.headers)
        while data := (yield Read(state.timeout)):
            if isinstance(data, ClientError):
                return Dropped(data, attached=False)
            reader.feed(data)
        if data is None:
            return Dropped(state.failures.no_answer(state.timeout), attached=False)
        start = reader.start()
    state.log.place(max(start, offset))
    return None


def _refused(state: TailState, opened: Opened) -> Dropped:
    """Return the outcome for a response with an error that may pass; raise any other."""
    error = state.failures.refused(opened)
    if opened.status not in PASSING:
        raise error
    return Dropped(error, attached=False)
