"""Walking a list page by page, without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast
from urllib.parse import parse_qsl

import httpx

from ..clients.exceptions import ClientError, ServerError
from ._core import Exchange, origin

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation

    from .._connection import Connection

__all__ = ["Pages"]

_T_co = TypeVar("_T_co", covariant=True)
T = TypeVar("T")

# Some pages may be empty, for instance because the token may not see what is on them.
_MAX_EMPTY = 100


class Page(Protocol[_T_co]):
    """What lists that page answer."""

    @property
    def next(self) -> str | None: ...

    @property
    def results(self) -> Sequence[_T_co]: ...


class Pages(Generic[T]):
    """The pages of a list: perform `exchange()`, then give `results()` what came; until `exchange()` is None.

    Raises:
        ServerError: A page leads to another origin, in a circle, or on and on without a result.
    """

    def __init__(self, connection: Connection, operation: Operation[Page[T]], arguments: Arguments) -> None:
        self._connection = connection
        self._operation = operation
        self._arguments = arguments
        self._here: httpx.URL | None = None
        self._next: str | None = None
        self._seen: set[str] = set()
        self._empty = 0

    def exchange(self) -> Exchange[Page[T]] | None:
        """The request for the next page, or None after the last."""
        if self._here is None:
            return Exchange(self._connection, self._operation, self._arguments)
        if self._next is None:
            return None
        url = self._url(self._here, self._next)
        if str(url) in self._seen:
            raise self._error(f"the pages lead in a circle, back to {url.path}")
        self._seen.add(str(url))
        if self._empty >= _MAX_EMPTY:
            raise self._error(f"{_MAX_EMPTY} pages one after the other were empty, and there is yet another")
        return Exchange(self._connection, self._operation, self._arguments, url=url)

    def results(self, page: Page[T], url: httpx.URL) -> Iterator[T]:
        """Take what is on a page, and note where it leads.

        Args:
            page: The page.
            url: Where it came from.
        """
        self._seen.add(str(url))
        self._here = url
        following = cast("object", page.next)
        if following is not None and not isinstance(following, str):
            raise self._error(f"its `next` is a {type(following).__name__}, no URL")
        self._next = following or None
        results = cast("object", page.results)
        if results is not None and not isinstance(results, list):
            raise self._error(f"its `results` are a {type(results).__name__}, no list")
        self._empty = 0 if results else self._empty + 1
        return iter(page.results or [])

    def _url(self, here: httpx.URL, following: str) -> httpx.URL:
        try:
            url = httpx.URL(str(here)).join(following)
        except (httpx.InvalidURL, ValueError) as exc:
            raise self._error("its `next` is no URL") from exc
        if self._connection.long_poll:
            # What the agent takes for its own address says nothing here; where on the list it leads, does.
            return here.copy_with(params=parse_qsl(url.query.decode("ascii", "replace")))
        if not self._connection.same_origin(url):
            raise self._error(
                f"the next page is at {origin(url)}, which is not followed",
                hint="if that is the agent, make it the base_url",
            )
        return self._connection.with_zone(url)

    def _error(self, detail: str, hint: str | None = None) -> ClientError:
        return ServerError(
            200,
            f"the page can't be used: {detail}",
            operation=self._operation.summary,
            agent=self._connection.agent,
            hint=hint,
        )
