"""Follow the pages of a list. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import httpx

from synapse_agent_api.client import Arguments

from .._base_url import origin
from .._exceptions import ClientError, ServerError
from ._call import ApiCall

if TYPE_CHECKING:
    from synapse_agent_api.client import Operation, Pagination

    from .._config import ClientConfig

__all__ = ["Pages"]

# Pages may be empty, for instance because the token gives no access to their items.
_MAX_EMPTY = 100


class Pages:
    """The pages of a list, each of which says where the next one is.

    Send `next_call()` and pass its result to `items()`, until `next_call()` is None.

    Args:
        config: The settings of the client.
        operation: The operation that returns a page.
        arguments: The arguments for the first page.
        pagination: Where pages have their items and the place of the next page.

    Raises:
        ServerError: 200, a page leads to another origin, in a circle, or past too many empty pages.
    """

    def __init__(
        self, config: ClientConfig, operation: Operation[Any], arguments: Arguments, pagination: Pagination
    ) -> None:
        self._config = config
        self._operation = operation
        self._pagination = pagination
        if config.long_poll and pagination.cursor_header:
            # Long-poll responses may have no headers, so there would be no link to the next page.
            arguments = _with_query(arguments, {pagination.size: None})
        self._arguments = arguments
        self._url: httpx.URL | None = None
        self._next: str | None = None
        self._seen: set[str] = set()
        self._empty = 0

    def next_call(self) -> ApiCall[Any] | None:
        """Return the call for the next page, or None after the last."""
        if self._url is None:
            return ApiCall(self._config, self._operation, self._arguments)
        if self._next is None:
            return None
        if self._pagination.cursor_parameter:
            self._check_new(self._next)
            arguments = _with_query(self._arguments, {self._pagination.cursor_parameter: self._next})
            return ApiCall(self._config, self._operation, arguments)
        url = self._next_url(self._url, self._next)
        self._check_new(str(url), f", back to {url.path}")
        return ApiCall(self._config, self._operation, self._arguments, url=url)

    def items(self, page: Any, response: httpx.Response) -> Iterator[Any]:
        """Return the items of a page, and keep the place of the next one."""
        pagination = self._pagination
        self._url = response.url
        if pagination.next:
            self._seen.add(str(response.url))
        field = pagination.next or pagination.cursor_field
        following: object = getattr(page, field) if field else response.headers.get(pagination.cursor_header)
        if following is not None and not isinstance(following, str):
            expected = "URL" if pagination.next else "string"
            raise self._error(f"its `{field}` is a {type(following).__name__}, not a {expected}")
        self._next = following or None
        results: Any = getattr(page, pagination.results) if pagination.results else page
        if results is not None and not isinstance(results, list):
            raise self._error(f"its `{pagination.results}` are a {type(results).__name__}, not a list")
        items: list[Any] = cast("Any", results) or []
        self._empty = 0 if items else self._empty + 1
        return filter(self._accepts, items) if pagination.filters else iter(items)

    def _accepts(self, item: Mapping[str, object]) -> bool:
        # The filters are applied here as well, because older agents ignore them.
        query = self._arguments.query
        return all(
            _matches(item.get(name), query[name]) for name in self._pagination.filters if name in query
        )

    def _check_new(self, place: str, name: str = "") -> None:
        if place in self._seen:
            raise self._error(f"the pages lead in a circle{name}")
        self._seen.add(place)
        if self._empty >= _MAX_EMPTY:
            raise self._error(f"{_MAX_EMPTY} pages one after the other were empty")

    def _next_url(self, url: httpx.URL, following: str) -> httpx.URL:
        try:
            target = httpx.URL(str(url)).join(following)
        except (httpx.InvalidURL, ValueError) as exc:
            raise self._error("its `next` is not a URL") from exc
        if self._config.long_poll:
            # Only the query is used: there is no host, and the path is the same.
            return url.copy_with(params=parse_qsl(target.query.decode("ascii", "replace")))
        if not self._config.same_origin(target):
            raise self._error(
                f"the next page is at {origin(target)}, which is not followed",
                hint="if that is the agent, make it the base_url",
            )
        return self._config.with_zone(target)

    def _error(self, detail: str, hint: str | None = None) -> ClientError:
        return ServerError(
            200,
            f"the page can't be used: {detail}",
            operation=self._operation.summary,
            agent=self._config.agent,
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
