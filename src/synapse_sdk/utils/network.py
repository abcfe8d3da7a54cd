"""Limits of a log stream, and checks of what goes over the network.

Every refusal is a `ValidationError` with status 400.
"""

from __future__ import annotations

# typing.get_type_hints resolves the annotations of StreamLimits here, so OnOversize is imported too.
from .._limits import OnOversize, StreamLimits  # noqa: F401 # pyright: ignore[reportUnusedImport]
from .._redaction import sanitize_error_message
from .._validation import http_to_websocket_url, validate_resource_id, validate_timeout

__all__ = [
    "StreamLimits",
    "http_to_websocket_url",
    "sanitize_error_message",
    "validate_resource_id",
    "validate_timeout",
]
