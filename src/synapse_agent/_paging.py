"""Lists that are answered page by page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from synapse_agent._errors import ApiError, FieldError, InvalidBodyError

__all__ = ["Page", "page_response", "read_page"]

_DIGITS = re.compile(r"\+?[0-9]{1,100}\Z")
_DEFAULT_SIZE = 100
_MAX_SIZE = 1000
# So that an offset is one that SQLite can count to.
_MAX_NUMBER = 10**12


@dataclass(frozen=True, slots=True)
class Page:
    number: int  # from 1
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


def read_page(request: web.Request) -> Page:
    """Which page the query asks for; 422 if that is none."""
    errors: list[FieldError] = []
    number = _integer(request, "page", 1, None, errors)
    size = _integer(request, "page_size", _DEFAULT_SIZE, _MAX_SIZE, errors)
    if errors:
        raise InvalidBodyError(errors)
    return Page(min(number, _MAX_NUMBER), size)


def page_response(request: web.Request, page: Page, count: int, results: Sequence[object]) -> web.Response:
    """The page, with the URLs of its neighbours; 404 if the list ends before it."""
    if page.number > 1 and page.offset >= count:
        last = max(1, -(-count // page.size))
        raise ApiError(404, f"there is no page {page.number}: the last one is {last}")

    def url(number: int) -> str:
        return str(request.url.update_query(page=str(number), page_size=str(page.size)))

    more = page.offset + page.size < count
    body = {
        "count": count,
        "next": url(page.number + 1) if more else None,
        "previous": url(page.number - 1) if page.number > 1 else None,
        "results": results,
    }
    return web.json_response(body)


def _integer(
    request: web.Request, name: str, default: int, most: int | None, errors: list[FieldError]
) -> int:
    word = request.query.get(name)
    if word is None:
        return default
    value = int(word) if _DIGITS.match(word) else 0
    if value >= 1 and (most is None or value <= most):
        return value
    rule = "of at least 1" if most is None else f"from 1 to {most}"
    errors.append(FieldError(("query", name), f"must be an integer {rule}", "int_type", word))
    return default
