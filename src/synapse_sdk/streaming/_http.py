"""What both shells need of httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from synapse_sdk._connection import Connection
    from synapse_sdk.streaming._tail import Open

__all__ = ["EXCERPT", "READ_SIZE", "network_stream", "stream_request"]

READ_SIZE = 65_536
# How much is read of an answer that is no stream, for its error message.
EXCERPT = 65_536


def stream_request(
    http: httpx.Client | httpx.AsyncClient, connection: Connection, command: Open
) -> httpx.Request:
    """Make the request that opens a stream, with the tokens of this moment.

    Every phase of connecting, and a silence of an HTTP body, has the tail's timeout.
    """
    return http.build_request(
        "GET",
        connection.url(command.path),
        params=command.params,
        headers=connection.request_headers(command.headers),
        timeout=httpx.Timeout(command.timeout),
    )


def network_stream(response: httpx.Response) -> Any:
    """The connection under a response, or None where the transport has none to give."""
    return response.extensions.get("network_stream")
