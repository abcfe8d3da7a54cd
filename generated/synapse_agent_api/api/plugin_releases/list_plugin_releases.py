from __future__ import annotations

from typing import TYPE_CHECKING

from ...client import Arguments, Operation, Pagination
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.plugin_release_page import PluginReleasePage

__all__ = ["OPERATION", "PAGINATION", "arguments"]


def _decode_200(data: object) -> PluginReleasePage:
    from ...models.plugin_release_page import PluginReleasePage

    return PluginReleasePage.from_dict(data)


OPERATION: Operation[PluginReleasePage] = Operation(
    id="list_plugin_releases",
    method="GET",
    path="plugin_releases/",
    summary="list plugin releases",
    decoders={200: _decode_200},
)


PAGINATION = Pagination(results="results", next="next", size="page_size")


def arguments(page: int | None = None, page_size: int = 100) -> Arguments:
    """Build the request."""
    return Arguments(query=_present({"page": page, "page_size": page_size}))
