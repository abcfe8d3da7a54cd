"""Pagination of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from ..errors import ApiError
from .query import QueryFields

__all__ = ["Page", "page_response", "read_page"]

_DEFAULT_SIZE = 100
_MAX_SIZE = 1000
# Keeps offsets within the range of SQLite's integers.
_MAX_NUMBER = 10**12


@dataclass(frozen=True, slots=True)
class Page:
    number: int  # from 1
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def read_page(request: web.Request) -> Page:
    """Return the page that the query asks for; 422 if it is invalid."""
    query = QueryFields(request)
    number = query.integer("page")
    size = query.integer("page_size", most=_MAX_SIZE)
    query.check()
    return Page(min(number or 1, _MAX_NUMBER), size or _DEFAULT_SIZE)


def page_response(request: web.Request, page: Page, count: int, results: Sequence[object]) -> web.Response:
    """Return the page with relative URLs of the next and previous ones; 404 if the list ends before it."""
    if page.number > 1 and page.offset >= count:
        last = max(1, -(-count // page.size))
        raise ApiError(404, f"there is no page {page.number}: the last one is {last}")

    def url(number: int) -> str:
        # Relative, so that it works through any proxy, whatever host and path the agent has there.
        query = request.rel_url.update_query(page=str(number), page_size=str(page.size)).raw_query_string
        return f"?{query}"

    more = page.offset + page.size < count
    body = {
        "count": count,
        "next": url(page.number + 1) if more else None,
        "previous": url(page.number - 1) if page.number > 1 else None,
        "results": results,
    }
    return web.json_response(body)
