"""Lists with pages."""

from __future__ import annotations

from collections.abc import Sequence

from synapse_agent_api.types import Model

from .._operations import Call
from .._reply import ApiError
from .._shape import shape

__all__ = ["page_of"]


def page_of(model: type[Model], call: Call, items: Sequence[object]) -> object:
    """Return the page that the query selects, with the URLs of its neighbours.

    Raises:
        ApiError: 404, the list ends before it.
    """
    number, size = call.query.get("page", 1), call.query["page_size"]
    begin = (number - 1) * size
    if number > 1 and begin >= len(items):
        raise ApiError(404, f"there is no page {number}: the last one is {max(1, -(-len(items) // size))}")

    def url(page: int) -> str:
        return f"http://{call.host}/{call.operation.path}?page={page}&page_size={size}"

    fields = {
        "count": len(items),
        "next": url(number + 1) if begin + size < len(items) else None,
        "previous": url(number - 1) if number > 1 else None,
        "results": list(items[begin : begin + size]),
    }
    return shape(model, fields)
