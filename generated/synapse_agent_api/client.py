"""What generated code and a transport say to each other: an operation, its arguments, and the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar, final

__all__ = ["NO_BODY", "Arguments", "AsyncTransport", "NoBody", "Operation", "Transport"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class NoBody(Enum):
    """The type of NO_BODY."""

    NO_BODY = "NO_BODY"

    def __repr__(self) -> str:
        return self.value


NO_BODY: Final = NoBody.NO_BODY
"""Stands for a request without a body, because a body of None is sent as JSON null."""


class _Immutable:
    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")


@final
class Arguments(_Immutable):
    """What one call sends.

    Attributes:
        path: Values for the path's placeholders, unescaped.
        query: Query parameters that were given.
        body: What to send as JSON, or NO_BODY. With files, the form's other fields.
        files: Files by the name of their form field; None where the request is not multipart.
    """

    __slots__ = ("body", "files", "path", "query")

    path: Mapping[str, str | int]
    query: Mapping[str, object]
    body: object
    files: Mapping[str, object] | None

    def __init__(
        self,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, object] | None = None,
        body: object = NO_BODY,
        files: Mapping[str, object] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "path", {} if path is None else path)
        put(self, "query", {} if query is None else query)
        put(self, "body", body)
        put(self, "files", files)

    # A body may hold what its sender keeps secret.
    def __repr__(self) -> str:
        return f"Arguments(path={self.path!r}, query={self.query!r})"


@final
class Operation(_Immutable, Generic[_T_co]):
    """One operation of the API.

    Attributes:
        id: Its operationId.
        method: The HTTP method, in capitals.
        path: The path below the base URL, without a leading slash, with placeholders as in `jobs/{job_id}/`.
        summary: The operation in words, for errors: `get job`.
        decoders: For each status that means success, what turns the parsed JSON (None without a body) into the result.
        text: Whether the result is plain text, which may come as a JSON string or as it is.
    """

    __slots__ = ("decoders", "id", "method", "path", "summary", "text")

    id: str
    method: str
    path: str
    summary: str
    decoders: Mapping[int, Callable[[object], _T_co]]
    text: bool

    def __init__(
        self,
        *,
        id: str,  # noqa: A002
        method: str,
        path: str,
        summary: str,
        decoders: Mapping[int, Callable[[object], _T_co]],
        text: bool = False,
    ) -> None:
        put = object.__setattr__
        put(self, "id", id)
        put(self, "method", method)
        put(self, "path", path)
        put(self, "summary", summary)
        put(self, "decoders", decoders)
        put(self, "text", text)

    def __repr__(self) -> str:
        return f"<Operation {self.id}: {self.method} {self.path}>"


class Transport(Protocol):
    """Carries out operations for the sync classes."""

    def call(self, operation: Operation[_T], arguments: Arguments, /) -> _T:
        """Send one request and decode its answer."""
        ...


class AsyncTransport(Protocol):
    """Carries out operations for the async classes."""

    async def call(self, operation: Operation[_T], arguments: Arguments, /) -> _T:
        """Send one request and decode its answer."""
        ...
