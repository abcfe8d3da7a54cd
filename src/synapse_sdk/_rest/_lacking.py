"""Tells an agent without an operation from one without the thing that was asked for. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["lacking_hint"]

# What routers say by themselves, as text: aiohttp, Starlette, Go.
_ROUTERS = ("404: not found", "not found", "404 page not found")


def lacking_hint(
    status: int, detail: object, body: object, *, method: str, path: str, url_path: str
) -> str | None:
    """Say that the agent seems to lack an operation of the API, where its answer does; else `None`.

    Args:
        status: HTTP status of the answer.
        detail: What it says.
        body: The whole of it where it is JSON.
        method: The operation's method.
        path: The operation's path, with placeholders.
        url_path: The path that was asked for.
    """
    lacks = f"this agent has no {method} {path}"
    why = "it may be older or newer than this client"
    if status == 405:
        return f"{lacks}: {why}"
    if status != 404 or not isinstance(detail, str):
        return None
    said = detail.strip()
    if said == f"there is no {url_path}" or (
        said.startswith("there is no /") and url_path.endswith(said[12:])
    ):
        return f"{lacks}: {why}, or base_url lacks its path prefix"
    if said.lower() not in _ROUTERS or (
        isinstance(body, Mapping) and len(cast("Mapping[str, Any]", body)) > 1
    ):
        return None
    if "{" in path:
        # FastAPI says the same of a path that it doesn't know and, by default, of a thing.
        return f"there is no such thing, or {lacks}: {why}"
    return f"{lacks}: {why}, or base_url lacks its path prefix"
