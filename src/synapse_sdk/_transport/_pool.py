"""The connections that a client of our own keeps open, and what they and httpx say to each other. No I/O.

httpcore's own pool looks at every connection and every request for each request that begins or ends, which
for a hundred at once takes longer than all the rest. A client here has one agent, any number of connections
and so nobody who waits for one: what is left is a stack of idle connections.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import h11
import httpcore
import httpx

if TYPE_CHECKING:
    from ._http11 import Http11

__all__ = [
    "Pool",
    "RequestBuilder",
    "address",
    "closed_error",
    "httpx_answer",
    "httpx_errors",
    "keep_cookies",
    "phase",
    "refuse_other_origin",
    "whole_request",
]

# Idle connections at most. As many calls as this may be made at once, again and again, without reconnecting.
_MAX_IDLE = 100

_ERRORS: dict[type[Exception], type[httpx.RequestError]] = {
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadError: httpx.ReadError,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    h11.LocalProtocolError: httpx.LocalProtocolError,
    h11.RemoteProtocolError: httpx.RemoteProtocolError,
}


C = TypeVar("C", bound="Http11[Any]")


class Pool(Generic[C]):
    """Which connections there are, and which of them are idle.

    Those that a method gives out other than to be used are not in it any more, and are to be closed. Not safe
    for threads.
    """

    __slots__ = ("_all", "_idle", "closed")

    def __init__(self) -> None:
        self._all: set[C] = set()
        self._idle: deque[C] = deque()  # the one that was used last stands last
        self.closed = False

    @property
    def connections(self) -> list[C]:
        """All there are, in use or idle."""
        return list(self._all)

    def take(self) -> tuple[C | None, list[C]]:
        """Give the idle connection that was used last, or None; and those that can't be used any more."""
        if self.closed:
            raise closed_error()
        idle = self._idle
        dead: list[C] = []
        taken: C | None = None
        while idle and taken is None:
            connection = idle.pop()
            if connection.has_expired():
                dead.append(connection)
            else:
                taken = connection
        while idle and idle[0].has_expired():
            dead.append(idle.popleft())
        self._all.difference_update(dead)
        return taken, dead

    def add(self, connection: C) -> None:
        """Take note of a new connection, which is in use."""
        if self.closed:
            raise closed_error()
        self._all.add(connection)

    def give_back(self, connection: C) -> bool:
        """Keep a connection that is not in use any more; tell whether it shall be closed instead."""
        if not self.closed and len(self._idle) < _MAX_IDLE and connection.finish():
            self._idle.append(connection)
            return False
        self._all.discard(connection)
        return True

    def close(self) -> tuple[list[C], list[C]]:
        """Keep none from now on; give those that were idle, and those that are in use."""
        self.closed = True
        idle = list(self._idle)
        self._idle.clear()
        self._all.difference_update(idle)
        return idle, list(self._all)


def httpx_answer(
    answer: h11.Response | h11.InformationalResponse,
    stream: object,
    body: httpx.SyncByteStream | httpx.AsyncByteStream,
    request: httpx.Request,
) -> httpx.Response:
    """Translate the head of an answer."""
    return httpx.Response(
        answer.status_code,
        headers=answer.headers.raw_items(),
        stream=body,
        request=request,
        extensions={
            "http_version": b"HTTP/" + answer.http_version,
            "reason_phrase": answer.reason,
            "network_stream": stream,
        },
    )


@contextmanager
def httpx_errors(request: httpx.Request) -> Generator[None]:
    """Translate what h11 or httpcore raise; anything else stays what it is."""
    try:
        yield
    except Exception as exc:
        kind = _ERRORS.get(type(exc))
        if kind is None:
            raise
        raise kind(str(exc), request=request) from exc


def address(url: httpx.URL) -> tuple[str, int]:
    """Tell where to connect for a URL."""
    return url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def refuse_other_origin(own: httpx.URL, url: httpx.URL) -> None:
    """Raise for a URL that the connections don't lead to; nothing here asks for one."""
    if (url.raw_host, url.port, url.raw_scheme) != (own.raw_host, own.port, own.raw_scheme):
        raise RuntimeError("a request to another origin")


def whole_request(connection: Http11[Any], request: httpx.Request) -> bytes:
    """Give all bytes of a request whose body is at hand."""
    head = connection.head(request)
    return head + connection.body(b"".join(cast("httpx.ByteStream", request.stream))) + connection.end()


def closed_error() -> RuntimeError:
    """Make the error that httpx raises, too, where a client is used that was closed."""
    return RuntimeError("Cannot send a request, as the client has been closed.")


def phase(extensions: Mapping[str, Any], name: str) -> float | None:
    """Tell the seconds that a phase of a request may take ("connect", "read", "write")."""
    seconds: float | None = extensions.get("timeout", {}).get(name)
    return seconds


class RequestBuilder:
    """Builds what `http.build_request` would, by a shorter way.

    Args:
        http: The client whose headers go with every request.
        url: Where all requests go.
    """

    def __init__(self, http: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> None:
        self._cookies = http.cookies
        defaults = [(b"Host", url.netloc), *http.headers.raw]
        self._defaults = [(name.lower(), (name, value)) for name, value in defaults]

    def build(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        headers: object = None,
        timeout: object = None,
        content: bytes | None = None,
        params: Any = None,
        data: object = None,
        files: object = None,
        extensions: dict[str, Any] | None = None,
        **others: object,
    ) -> httpx.Request | None:
        """Build a request; give None where there is more to look at."""
        if data or files or others or self._cookies or not isinstance(url, httpx.URL):
            return None
        if params is not None and not params and url.query:
            return None
        if not isinstance(headers, httpx.Headers) or not isinstance(timeout, httpx.Timeout):
            return None
        own = headers.raw
        named = {name.lower() for name, _ in own}
        raw = [pair for name, pair in self._defaults if name not in named]
        raw += own
        if content or method in ("PATCH", "POST", "PUT"):
            raw.append((b"Content-Length", b"%d" % len(content or b"")))
        return httpx.Request(
            method,
            url,
            params=params or None,
            headers=raw,
            stream=httpx.ByteStream(content or b""),
            extensions={**(extensions or {}), "timeout": timeout.as_dict()},
        )


def keep_cookies(http: httpx.Client | httpx.AsyncClient, response: httpx.Response) -> None:
    """Take the cookies of an answer over into the jar, as httpx does: a balancer goes by them."""
    if "set-cookie" in response.headers:
        http.cookies.extract_cookies(response)
