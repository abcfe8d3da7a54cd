"""Walking a list page by page, without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import httpx

from synapse_agent_api.client import Arguments

from ..clients.exceptions import ClientError, ServerError
from ._core import Exchange, origin

if TYPE_CHECKING:
    from synapse_agent_api.client import Operation, Pagination

    from .._connection import Connection

__all__ = ["Pages"]

# Some pages may be empty, for instance because the token may not see what is on them.
_MAX_EMPTY = 100


class Pages:
    """The pages of a list: perform `exchange()`, then give `results()` what came; until `exchange()` is None.

    Raises:
        ServerError: A page leads to another origin, in a circle, or on and on without a result.
    """

    def __init__(
        self, connection: Connection, operation: Operation[Any], arguments: Arguments, pagination: Pagination
    ) -> None:
        self._connection = connection
        self._operation = operation
        self._pagination = pagination
        if connection.long_poll and pagination.cursor_header:
            # A long-poll handler passes on no header that would lead to the next page.
            arguments = _with_query(arguments, {pagination.size: None})
        self._arguments = arguments
        self._here: httpx.URL | None = None
        self._next: str | None = None
        self._seen: set[str] = set()
        self._empty = 0

    def exchange(self) -> Exchange[Any] | None:
        """Return the request for the next page, or None after the last."""
        if self._here is None:
            return Exchange(self._connection, self._operation, self._arguments)
        if self._next is None:
            return None
        url = None if self._pagination.cursor_parameter else self._url(self._here, self._next)
        place = self._next if url is None else str(url)
        if place in self._seen:
            back = "" if url is None else f", back to {url.path}"
            raise self._error(f"the pages lead in a circle{back}")
        self._seen.add(place)
        if self._empty >= _MAX_EMPTY:
            raise self._error(f"{_MAX_EMPTY} pages one after the other were empty, and there is yet another")
        if url is not None:
            return Exchange(self._connection, self._operation, self._arguments, url=url)
        following = _with_query(self._arguments, {self._pagination.cursor_parameter: self._next})
        return Exchange(self._connection, self._operation, following)

    def results(self, page: Any, response: httpx.Response) -> Iterator[Any]:
        """Take what is on a page, and note where it leads.

        Args:
            page: The page.
            response: The answer that it came in.
        """
        how = self._pagination
        self._here = response.url
        if how.next:
            self._seen.add(str(response.url))
        following: object
        if how.cursor_header:
            following = response.headers.get(how.cursor_header)
        else:
            following = getattr(page, how.next or how.cursor_field)
        if following is not None and not isinstance(following, str):
            raise self._error(
                f"its `{how.next or how.cursor_field}` is a {type(following).__name__}, no string"
            )
        self._next = following or None
        results: Any = getattr(page, how.results) if how.results else page
        if results is not None and not isinstance(results, list):
            raise self._error(f"its `{how.results}` are a {type(results).__name__}, no list")
        items = cast("list[Any]", results or [])
        self._empty = 0 if items else self._empty + 1
        return filter(self._accepts, items) if how.filters else iter(items)

    def _accepts(self, item: Mapping[str, object]) -> bool:
        """Return whether the filters let an item through: an older agent ignores them."""
        return all(
            _matches(item.get(name), self._arguments.query[name])
            for name in self._pagination.filters
            if name in self._arguments.query
        )

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


def _matches(value: object, wanted: object) -> bool:
    """Return whether a field is what a filter asks for: all of a list of `key=value` or `key`."""
    if not isinstance(wanted, list):
        return value == wanted
    held: Mapping[str, object] = {}
    if isinstance(value, Mapping):
        held = cast("Mapping[str, object]", value)
    pairs = (text.partition("=") for text in cast("list[str]", wanted))
    return all(key in held and (not equals or held[key] == rest) for key, equals, rest in pairs)


def _with_query(arguments: Arguments, changes: Mapping[str, str | None]) -> Arguments:
    query = {name: value for name, value in {**arguments.query, **changes}.items() if value is not None}
    return Arguments(arguments.path, query, headers=arguments.headers, cookies=arguments.cookies)
