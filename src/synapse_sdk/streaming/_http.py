"""What both shells need of httpx."""

from __future__ import annotations

from typing import Any

import httpx

from synapse_sdk.streaming._tail import Open

__all__ = ["EXCERPT", "READ_SIZE", "network_stream", "stream_timeout"]

READ_SIZE = 65_536
# How much is read of an answer that is no stream, for its error message.
EXCERPT = 65_536


def stream_timeout(command: Open) -> httpx.Timeout:
    """Every phase of connecting, and a silence of an HTTP body, has the tail's timeout."""
    return httpx.Timeout(command.timeout)


def network_stream(response: httpx.Response) -> Any:
    """The connection under a response, or None where the transport has none to give."""
    return response.extensions.get("network_stream")
