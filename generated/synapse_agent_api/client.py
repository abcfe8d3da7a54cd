"""What generated code and a transport say to each other: an operation, its arguments, and the call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from enum import Enum
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Generic,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeVar,
    final,
)

if TYPE_CHECKING:
    from .types import FileTarget

__all__ = [
    "NO_BODY",
    "Arguments",
    "AsyncRawMethod",
    "AsyncTransport",
    "NoBody",
    "Operation",
    "Pagination",
    "RawMethod",
    "RawMethods",
    "RawResponse",
    "Transport",
]

_P = ParamSpec("_P")
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
        body: What to send, or NO_BODY. With files, the form's other fields.
        files: Files, or lists of files, by the name of their form field; None where the request is not multipart.
        content_type: What the body is; JSON, a urlencoded form, or text, bytes or a file as they are.
        headers: Header parameters that were given.
        cookies: Cookie parameters that were given.
    """

    __slots__ = ("body", "content_type", "cookies", "files", "headers", "path", "query")

    path: Mapping[str, str | int]
    query: Mapping[str, object]
    body: object
    files: Mapping[str, object] | None
    content_type: str
    headers: Mapping[str, object]
    cookies: Mapping[str, object]

    def __init__(
        self,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, object] | None = None,
        body: object = NO_BODY,
        files: Mapping[str, object] | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, object] | None = None,
        cookies: Mapping[str, object] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "path", {} if path is None else path)
        put(self, "query", {} if query is None else query)
        put(self, "body", body)
        put(self, "files", files)
        put(self, "content_type", content_type)
        put(self, "headers", headers or {})
        put(self, "cookies", cookies or {})

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
        accept: The media type of a result that is bytes, or a text of another type than text/plain; else empty.
        waits_for: What a caller can wait for once this has begun; empty where there is nothing.
    """

    __slots__ = ("accept", "decoders", "id", "method", "path", "summary", "text", "waits_for")

    id: str
    method: str
    path: str
    summary: str
    decoders: Mapping[int, Callable[[object], _T_co]]
    text: bool
    accept: str
    waits_for: str

    def __init__(
        self,
        *,
        id: str,  # noqa: A002
        method: str,
        path: str,
        summary: str,
        decoders: Mapping[int, Callable[[object], _T_co]],
        text: bool = False,
        accept: str = "",
        waits_for: str = "",
    ) -> None:
        put = object.__setattr__
        put(self, "id", id)
        put(self, "method", method)
        put(self, "path", path)
        put(self, "summary", summary)
        put(self, "decoders", decoders)
        put(self, "text", text)
        put(self, "accept", accept)
        put(self, "waits_for", waits_for)

    def __repr__(self) -> str:
        return f"<Operation {self.id}: {self.method} {self.path}>"


class Pagination(NamedTuple):
    """The parameters and fields by which a list is read page by page.

    Attributes:
        results: The answer's field that has the items; empty where the answer is a list.
        next: The answer's field that has the URL of the next page.
        cursor_parameter: The query parameter for the place at which the next page begins.
        cursor_header: The answer's header that says where that is.
        cursor_field: The answer's field that says where that is.
        size: The query parameter that says how many items a page has.
        filters: Query parameters that are applied to what comes as well: an older agent ignores them.
    """

    results: str = ""
    next: str = ""
    cursor_parameter: str = ""
    cursor_header: str = ""
    cursor_field: str = ""
    size: str = ""
    filters: tuple[str, ...] = ()


@final
class RawResponse(_Immutable, Generic[_T_co]):
    """An answer as it came, and what a method makes of it.

    Attributes:
        status_code: The HTTP status; an error status raises as ever.
        headers: The headers; names are looked up in any case.
        content: The body, decompressed.

    Example:
        >>> RawResponse(200, {}, b"[1]", lambda: [1]).parsed
        [1]
    """

    __slots__ = ("_decode", "_parsed", "content", "headers", "status_code")

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    _decode: Callable[[], _T_co]
    _parsed: _T_co

    def __init__(
        self, status_code: int, headers: Mapping[str, str], content: bytes, decode: Callable[[], _T_co]
    ) -> None:
        put = object.__setattr__
        put(self, "status_code", status_code)
        put(self, "headers", headers)
        put(self, "content", content)
        put(self, "_decode", decode)

    @property
    def parsed(self) -> _T_co:
        """What the method returns without `with_raw_response`; decoded when it is first asked for.

        Raises:
            ServerError: With the status of the answer, the body is not what the spec says.
        """
        if not hasattr(self, "_parsed"):
            object.__setattr__(self, "_parsed", self._decode())
        return self._parsed

    def __repr__(self) -> str:
        return f"<RawResponse [{self.status_code}], {len(self.content)} bytes>"


class RawMethods:
    """What `RawMethod` and `AsyncRawMethod` are attributes of.

    Args:
        api: The methods themselves, over a transport that answers a RawResponse.
    """

    __slots__ = ("_api",)

    def __init__(self, api: object) -> None:
        self._api = api


class _RawMethod:
    __slots__ = ("_method",)

    def __init__(self, method: Callable[..., object]) -> None:
        self._method = method

    def bound(self, instance: RawMethods | None) -> Any:
        # Straight from the class, its signature and docstring are those of the method.
        return self._method if instance is None else MethodType(self._method, instance._api)  # pyright: ignore[reportPrivateUsage]


class RawMethod(_RawMethod, Generic[_P, _T]):
    """A method of the API that answers a RawResponse."""

    __slots__ = ()

    def __init__(self, method: Callable[Concatenate[Any, _P], _T]) -> None:
        super().__init__(method)

    def __get__(self, instance: RawMethods | None, owner: type) -> Callable[_P, RawResponse[_T]]:
        bound: Callable[_P, RawResponse[_T]] = self.bound(instance)
        return bound


class AsyncRawMethod(_RawMethod, Generic[_P, _T]):
    """An async method of the API that answers a RawResponse."""

    __slots__ = ()

    def __init__(self, method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _T]]) -> None:
        super().__init__(method)

    def __get__(
        self, instance: RawMethods | None, owner: type
    ) -> Callable[_P, Coroutine[Any, Any, RawResponse[_T]]]:
        bound: Callable[_P, Coroutine[Any, Any, RawResponse[_T]]] = self.bound(instance)
        return bound


class Transport(Protocol):
    """Carries out operations for the sync classes."""

    def call(self, operation: Operation[_T], arguments: Arguments, /) -> _T:
        """Send one request and decode its answer."""
        ...

    def wait(
        self, operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float, /
    ) -> Any:
        """Send one request, and wait for what it began."""
        ...

    def download(self, operation: Operation[Any], arguments: Arguments, target: FileTarget, /) -> int:
        """Send one request, write the answer to a file, and return how many bytes that were."""
        ...

    def pages(
        self, operation: Operation[Any], arguments: Arguments, pagination: Pagination, /
    ) -> Iterator[Any]:
        """Walk a list page by page."""
        ...


class AsyncTransport(Protocol):
    """Carries out operations for the async classes."""

    async def call(self, operation: Operation[_T], arguments: Arguments, /) -> _T:
        """Send one request and decode its answer."""
        ...

    async def wait(
        self, operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float, /
    ) -> Any:
        """Send one request, and wait for what it began."""
        ...

    async def download(self, operation: Operation[Any], arguments: Arguments, target: FileTarget, /) -> int:
        """Send one request, write the answer to a file, and return how many bytes that were."""
        ...

    def pages(
        self, operation: Operation[Any], arguments: Arguments, pagination: Pagination, /
    ) -> AsyncIterator[Any]:
        """Walk a list page by page."""
        ...
