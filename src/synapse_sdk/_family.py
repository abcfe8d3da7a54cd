"""Recognise objects and exceptions of httpx and of httpx2, which has the same names.

httpx2 is never imported here: its objects come only from a program that has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Protocol

__all__ = [
    "AsyncHttpClient",
    "HttpClient",
    "HttpTimeout",
    "chain",
    "is_a",
    "is_certificate_failure",
    "is_network_error",
    "is_read_timeout",
    "types",
]


class HttpClient(Protocol):
    """An `httpx.Client`, or that of httpx2."""

    @property
    def is_closed(self) -> bool: ...

    def build_request(self, method: str, url: str) -> Any: ...

    def send(self, request: Any, *, stream: bool = False) -> Any: ...

    def close(self) -> None: ...


class AsyncHttpClient(Protocol):
    """An `httpx.AsyncClient`, or that of httpx2."""

    @property
    def is_closed(self) -> bool: ...

    def build_request(self, method: str, url: str) -> Any: ...

    async def send(self, request: Any, *, stream: bool = False) -> Any: ...

    async def aclose(self) -> None: ...


class HttpTimeout(Protocol):
    """An `httpx.Timeout`, or that of httpx2: seconds for each phase, None for no limit."""

    @property
    def connect(self) -> float | None: ...

    @property
    def read(self) -> float | None: ...

    @property
    def write(self) -> float | None: ...

    @property
    def pool(self) -> float | None: ...


_known: dict[tuple[str, bool], tuple[type[Any], ...]] = {}


def types(name: str) -> tuple[type[Any], ...]:
    """Return the public classes of this name, for isinstance: httpx's, and httpx2's where that is loaded."""
    httpx2 = sys.modules.get("httpx2")
    key = (name, httpx2 is not None)
    found = _known.get(key)
    if found is None:
        # Imported here so that importing a client does not import httpx.
        import httpx

        modules = [httpx] if httpx2 is None else [httpx, httpx2]
        found = _known[key] = tuple(getattr(module, name) for module in modules)
    return found


def is_a(value: object, *names: str) -> bool:
    """Return whether a value is an instance of one of the classes of these names."""
    return any(isinstance(value, types(name)) for name in names)


def is_read_timeout(exc: Exception) -> bool:
    """Return whether an exception of a network stream is a read timeout."""
    import httpcore

    httpcore2 = sys.modules.get("httpcore2")
    return isinstance(exc, httpcore.ReadTimeout) or (
        httpcore2 is not None and isinstance(exc, httpcore2.ReadTimeout)
    )


def is_network_error(exc: Exception) -> bool:
    """Return whether an exception comes from a layer below httpx, which a WebSocket uses directly."""
    return type(exc).__module__.partition(".")[0] in (
        "anyio",
        "h11",
        "h2",
        "httpcore",
        "httpcore2",
        "ssl",
        "trio",
    )


def is_certificate_failure(exc: BaseException) -> bool:
    """Return whether a certificate was refused, which a retry does not change."""
    # By name, because Python may have been built without ssl.
    return any(type(link).__name__ == "SSLCertVerificationError" for link in chain(exc))


def chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes."""
    seen: set[int] = set()
    link: BaseException | None = exc
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
