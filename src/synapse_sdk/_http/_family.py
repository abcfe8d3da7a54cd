"""httpx and httpx2, which have the same names: which of them an object is of.

httpx2 is httpx under another name, by its author. It is never imported here: objects of it come only from a
program that has imported it.
"""

from __future__ import annotations

import sys
from typing import Any

import httpx

__all__ = ["is_a", "is_network_error", "is_read_timeout", "types"]

_known: dict[tuple[str, bool], tuple[type[Any], ...]] = {}


def types(name: str) -> tuple[type[Any], ...]:
    """Return the public classes of this name, for isinstance: httpx's, and httpx2's where that is loaded."""
    httpx2 = sys.modules.get("httpx2")
    key = (name, httpx2 is not None)
    found = _known.get(key)
    if found is None:
        modules = [httpx] if httpx2 is None else [httpx, httpx2]
        found = _known[key] = tuple(getattr(module, name) for module in modules)
    return found


def is_a(value: object, *names: str) -> bool:
    """Check whether a value is an instance of one of the classes of these names."""
    return any(isinstance(value, types(name)) for name in names)


def is_read_timeout(exc: Exception) -> bool:
    """Check whether an exception of a network stream says that nothing came in time."""
    import httpcore

    httpcore2 = sys.modules.get("httpcore2")
    return isinstance(exc, httpcore.ReadTimeout) or (
        httpcore2 is not None and isinstance(exc, httpcore2.ReadTimeout)
    )


def is_network_error(exc: Exception) -> bool:
    """Check whether an exception comes from a layer below httpx, which a WebSocket meets directly."""
    return type(exc).__module__.partition(".")[0] in (
        "anyio",
        "h11",
        "h2",
        "httpcore",
        "httpcore2",
        "ssl",
        "trio",
    )
