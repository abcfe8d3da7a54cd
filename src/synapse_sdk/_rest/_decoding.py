"""Decode the bodies of responses that are not plain JSON: texts, and responses that no spec describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from .._http._errors import is_json_type

if TYPE_CHECKING:
    import httpx

__all__ = ["decode_any", "decode_text"]


def decode_any(response: httpx.Response, media_type: str) -> object:
    """Return the body of any response: None, a JSON value, or a text."""
    if not response.content:
        return None
    if is_json_type(media_type):
        return cast("object", json.loads(response.content))
    try:
        if not media_type:
            return cast("object", json.loads(response.content))
    except (ValueError, RecursionError):
        pass
    return _decoded(response)


def decode_text(response: httpx.Response, media_type: str) -> object:
    """Return a text, which agents send as a JSON string, in the `logs` of an object, or unencoded."""
    is_json = is_json_type(media_type)
    if is_json or not media_type:
        try:
            value: object = json.loads(response.content)
        except (ValueError, RecursionError):
            if is_json:
                raise
        else:
            if isinstance(value, dict):
                logs = cast("dict[str, object]", value).get("logs")
                value = logs if isinstance(logs, str) else cast("object", value)
            # Without a content type "42" is a text, not a number.
            if is_json or isinstance(value, str):
                return value
    return _decoded(response)


def _decoded(response: httpx.Response) -> str:
    charset = response.charset_encoding or "utf-8"
    try:
        return response.content.decode(charset, "replace")
    except (LookupError, ValueError):
        return response.content.decode("utf-8", "replace")
