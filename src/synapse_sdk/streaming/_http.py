"""What both shells need of httpx."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from synapse_sdk._connection import Connection
    from synapse_sdk.streaming._tail import Open

__all__ = [
    "GRACE",
    "MAX_BODY",
    "READ_SIZE",
    "beneath",
    "connected_stream",
    "network_stream",
    "stream_request",
    "unread",
]

READ_SIZE = 131_072
# glibc hands memory back to the kernel as soon as 128 KiB lie free in one place, and maps larger blocks anew
# each time, so that every read would pay with page faults, asyncio's of 256 KiB above all. Once it has seen a
# larger block freed, it keeps as much. Nothing is ever written to this one.
bytes(1 << 20)
# Bytes that are read of an answer that is no stream.
MAX_BODY = 1 << 20
# Seconds by which httpx's own timeouts, which know what was waited for, shall come first.
GRACE = 0.05


def stream_request(
    http: httpx.Client | httpx.AsyncClient,
    connection: Connection,
    command: Open,
    trace: Callable[[str, dict[str, Any]], Any],
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
        extensions={"trace": trace},
    )


def network_stream(response: httpx.Response) -> Any:
    """The connection under a response, or None where the transport has none to give."""
    return response.extensions.get("network_stream")


def beneath(network: Any, module: str, name: str) -> Any:
    """The stream of this type that a connection reads from as it is, or None.

    A read through httpcore costs more than the read itself. Which types it, or a client of ours, puts round
    a connection is known here by name only; any other, and one with something in store, is left to read.
    """
    if getattr(network, "_leading_data", b""):
        return None
    if type(network).__name__.endswith("UpgradeStream"):
        network = network._stream
    found = f"{type(network).__module__}.{type(network).__name__}"
    return network if found == f"{module}.{name}" else None


def connected_stream(event: str, info: dict[str, Any]) -> Any:
    """The new connection that an event of httpcore's trace tells of, or None."""
    if event.endswith((".connect_tcp.complete", ".connect_unix_socket.complete")):
        return info.get("return_value")
    return None


def unread(response: httpx.Response) -> bytes | None:
    """What was read of the body along with the headers, or None where the body can be had from httpx only.

    A read of httpx that times out ends its connection, and every chunk of a body costs it more than a whole
    read costs us, so a stream's body is read from the network stream. What h11 has of it by then is public
    there (`Connection.trailing_data`); httpx and httpcore only don't pass h11 on, so it is looked for under
    the response. Where it isn't found (HTTP/2, another transport, another httpx), httpx reads the body.
    """
    h11 = sys.modules.get("h11")
    if h11 is None or network_stream(response) is None:
        return None
    node: Any = response.stream
    for _ in range(8):
        parts = getattr(node, "__dict__", {})
        for part in parts.values():
            if isinstance(part, h11.Connection):
                if part.their_state is not h11.SEND_BODY:
                    return None
                data, ended = part.trailing_data
                # A body that ended already is as well read by httpx, which knows what that end means.
                return None if ended else data
        node = next((part for name, part in parts.items() if name.endswith(("stream", "_connection"))), None)
    return None
