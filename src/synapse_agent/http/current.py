"""The request that is being answered: its id, who sent it, and how it failed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from aiohttp import web

__all__ = ["RequestInfo", "add_headers", "current_request", "start_request"]

_HEADER = "X-Request-ID"
_PATTERN = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}\Z")


@dataclass(slots=True)
class RequestInfo:
    """A request, as log lines describe it.

    Attributes:
        id: Identifies the request in answers, error texts and log lines.
        user: Name of the token that was sent.
        error: Why the request failed.
    """

    id: str
    user: str | None = None
    error: str | None = None
    _callbacks: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the request has been handled."""
        self._callbacks.append(callback)

    def end(self) -> None:
        """Call what was registered, the latest first."""
        while self._callbacks:
            self._callbacks.pop()()


# aiohttp handles each request in a context of its own.
_current: ContextVar[RequestInfo | None] = ContextVar("request", default=None)


def current_request() -> RequestInfo | None:
    """Return the request that is being answered; None outside of requests."""
    return _current.get()


def start_request(request: web.Request) -> RequestInfo:
    """Begin to answer a request; its id is the client's if that is plain text, else a new one."""
    given = request.headers.get(_HEADER, "")
    info = RequestInfo(given if _PATTERN.match(given) else secrets.token_hex(16))
    _current.set(info)
    return info


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the id to an answer: a handler for `Application.on_response_prepare`."""
    del request
    response.headers["Server"] = "synapse-agent"  # aiohttp's own names versions
    info = current_request()
    if info is not None:
        response.headers[_HEADER] = info.id
