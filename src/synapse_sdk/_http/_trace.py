"""The events of httpcore's trace extension that name a connection."""

from __future__ import annotations

from typing import Any

__all__ = ["REUSED", "connected_stream"]

REUSED = "synapse.reuse.complete"
"""The event by which a transport of ours announces that a connection is used again."""


def connected_stream(event: str, info: dict[str, Any]) -> Any:
    """Return the network stream that an event of httpcore's trace extension announces, or None.

    A TLS stream takes the place of the TCP stream that was announced before.
    """
    if event.endswith((".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")):
        return info.get("return_value")
    return None
