"""What both shells need of httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from .._http._pool import LAST_REQUEST
from .._http._requests import build_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._config import ClientConfig
    from ._tail import Open

__all__ = ["GRACE", "READ_SIZE", "network_stream", "stream_request"]

# glibc maps blocks of twice this size anew for each read, which then pays with page faults.
READ_SIZE = 65_536
# Seconds by which httpx's own timeouts, which know what was waited for, shall come first.
GRACE = 0.05


def stream_request(
    http: httpx.Client | httpx.AsyncClient,
    connection: ClientConfig,
    command: Open,
    trace: Callable[[str, dict[str, Any]], Any],
) -> httpx.Request:
    """Build the request that opens a stream, with the tokens of this moment.

    Every phase of connecting, and a silence of an HTTP body, has the tail's timeout.
    """
    extensions: dict[str, Any] = {"trace": trace}
    if command.kind == "stream":
        # An agent that streams often ignores a further request on the same connection.
        extensions[LAST_REQUEST] = True
    return build_request(
        http,
        "GET",
        connection.url(command.path),
        params=command.params or None,
        headers=connection.request_headers(command.headers),
        timeout=httpx.Timeout(command.timeout).as_dict(),
        extensions=extensions,
    )


def network_stream(response: httpx.Response) -> Any:
    """Return the connection under a response, or None where the transport gives no access to it."""
    return response.extensions.get("network_stream")
