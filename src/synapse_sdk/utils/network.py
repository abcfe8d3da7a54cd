"""Limits of a log stream, and checks of what goes over the network.

Every refusal is a `ValidationError` with status 400.
"""

from __future__ import annotations

from .._limits import OnOversize, StreamLimits  # noqa: F401 - OnOversize is for typing.get_type_hints
from .._redaction import sanitize_error_message
from .._validation import http_to_websocket_url, validate_resource_id, validate_timeout

__all__ = [
    "StreamLimits",
    "http_to_websocket_url",
    "sanitize_error_message",
    "validate_resource_id",
    "validate_timeout",
]
