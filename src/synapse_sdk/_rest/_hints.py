"""Recognise the response of an agent that does not have an operation. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .._exceptions import ClientError

__all__ = ["unsupported_operation_hint"]

# The texts of aiohttp's, Starlette's and Go's routers for an unknown path.
_ROUTERS = ("404: not found", "not found", "404 page not found")


def unsupported_operation_hint(error: ClientError, *, method: str, path: str, url_path: str) -> str | None:
    """Return a hint if the agent seems not to have an operation, else `None`.

    Args:
        error: The error of the response.
        method: The operation's method.
        path: The operation's path, with placeholders.
        url_path: The path of the request.
    """
    detail: object = error.detail
    body: object = error.body
    missing = f"this agent has no {method} {path}"
    reason = "it may be older or newer than this client"
    if error.status_code == 405:
        return f"{missing}: {reason}"
    if error.status_code != 404 or not isinstance(detail, str):
        return None
    text = detail.strip()
    if text == f"there is no {url_path}" or (
        text.startswith("there is no /") and url_path.endswith(text[12:])
    ):
        return f"{missing}: {reason}, or base_url lacks its path prefix"
    if text.lower() not in _ROUTERS or (
        isinstance(body, Mapping) and len(cast("Mapping[str, Any]", body)) > 1
    ):
        return None
    if "{" in path:
        # By default FastAPI answers the same for an unknown path and an unknown resource.
        return f"there is no such thing, or {missing}: {reason}"
    return f"{missing}: {reason}, or base_url lacks its path prefix"
