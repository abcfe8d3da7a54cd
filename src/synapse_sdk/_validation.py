"""Checks of parameters; every refusal is a `ValidationError` with status 400."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from ._exceptions import ValidationError

__all__ = [
    "checked_headers",
    "checked_retries",
    "checked_seconds",
    "encode_path",
    "http_to_websocket_url",
    "is_header_value",
    "shown",
    "validate_resource_id",
    "validate_timeout",
]

_MAX_ID_LENGTH = 100
_MAX_STREAM_TIMEOUT = 300.0
# Operating systems refuse much longer timeouts; this is eleven days.
_MAX_TIMEOUT = 1_000_000.0
_MAX_RETRIES = 100

_RESOURCE_ID = re.compile(r"[A-Za-z0-9_-]+")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]+)(\S*)")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What h11 accepts as a header value, without the C1 controls: printable, and no space at either end.
_HEADER_VALUE = re.compile(r"[!-~\xa1-\xff]+(?:[ \t]+[!-~\xa1-\xff]+)*")
_CREDENTIALS = frozenset({"authorization", "synapse-tenant", "synapse-user"})
# The request, its body and the WebSocket handshake set these.
_RESERVED = frozenset({"connection", "content-length", "content-type", "transfer-encoding", "upgrade"})


def validate_resource_id(value: Any, kind: str = "resource") -> str:
    """Return a resource id as text that is safe in a path.

    Args:
        value: Letters, digits, `-` and `_`, at most 100 of them; an `int` becomes its digits.
        kind: The kind of resource, for the message.

    Raises:
        ValidationError: 400, if it is empty, too long or has other characters.

    Example:
        >>> validate_resource_id("raysubmit_42", "job")
        'raysubmit_42'
    """
    text = _path_text(value, f"{kind} id")
    if not _RESOURCE_ID.fullmatch(text):
        raise ValidationError(400, f"{kind} id may have letters, digits, '-' and '_' only, not {shown(text)}")
    return text


def validate_timeout(timeout: Any) -> float:
    """Return the timeout of a stream as a float.

    Args:
        timeout: Seconds, above 0 and at most 300.

    Raises:
        ValidationError: 400, if it is out of range or not a number.

    Example:
        >>> validate_timeout(30)
        30.0
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise ValidationError(400, f"timeout must be a number of seconds, not {shown(timeout)}")
    # This refuses NaN too.
    if not 0 < timeout <= _MAX_STREAM_TIMEOUT:
        raise ValidationError(
            400, f"timeout must be above 0 and at most {_MAX_STREAM_TIMEOUT:g} seconds, not {shown(timeout)}"
        )
    return float(timeout)


def http_to_websocket_url(url: str) -> str:
    """Return the URL with the WebSocket scheme in place of the HTTP one.

    Raises:
        ValidationError: 400, if it is not an absolute http, https, ws or wss URL.

    Example:
        >>> http_to_websocket_url("https://agent.example/prefix/jobs/1/logs/?offset=3")
        'wss://agent.example/prefix/jobs/1/logs/?offset=3'
    """
    match = _URL.fullmatch(url) if isinstance(url, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    scheme = match and _WEBSOCKET_SCHEMES.get(match[1].lower())
    if match is None or scheme is None:
        raise ValidationError(
            400, "url must be an absolute http or https URL", hint="such as http://localhost:8000/"
        )
    return f"{scheme}://{match[2]}{match[3]}"


def _path_text(value: object, name: str) -> str:
    """Return a path parameter as text; refuse an empty one, one over 100 characters, and a bool."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValidationError(400, f"{name} must be a string, not {shown(value)}")
    if isinstance(value, int) and value.bit_length() > 4 * _MAX_ID_LENGTH:
        # Python refuses to convert some of these to text.
        raise ValidationError(400, f"{name} is too large a number")
    # The str() of an enum member would be its name.
    text = str.__str__(value) if isinstance(value, str) else int.__repr__(value)
    if not text:
        raise ValidationError(400, f"{name} must not be empty")
    if len(text) > _MAX_ID_LENGTH:
        raise ValidationError(400, f"{name} may have at most {_MAX_ID_LENGTH} characters, not {len(text)}")
    return text


def shown(value: object) -> str:
    """Return a value in a form that is short enough for an error message."""
    if value is None or isinstance(value, (str, int, float)):
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and value.bit_length() > 128:
            return "a number that large"
        text = ascii(value)
        return text if len(text) <= 60 else text[:57] + "..."
    return f"a {type(value).__name__}"


def encode_path(template: str, values: Mapping[str, str | int]) -> str:
    """Fill the placeholders of a path.

    `{..._id}` takes an id of letters, digits, `-` and `_`; other names take text, which is percent-encoded.

    Args:
        template: Such as "jobs/{job_id}/".
        values: A value for each placeholder.

    Raises:
        ValidationError: 400, for a value that is empty, longer than 100 characters, or not allowed there.
    """

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        value = values[name]
        if name.endswith("_id"):
            return validate_resource_id(value, name.removesuffix("_id").replace("_", " "))
        return _encoded(value, name)

    return _PLACEHOLDER.sub(filled, template)


def _encoded(value: str | int, name: str) -> str:
    text = _path_text(value, name)
    # Servers and proxies resolve these as path segments, percent-encoded or not.
    if text in (".", ".."):
        raise ValidationError(400, f"{name} must not be {text!r}")
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise ValidationError(400, f"{name} must not have control characters")
    try:
        return quote(text, safe="@")
    except UnicodeEncodeError as exc:
        raise ValidationError(400, f"{name} has a character that can't be sent") from exc


def checked_seconds(value: object, name: str) -> float:
    """Return a timeout in seconds, or refuse it with its parameter's name."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValidationError(400, f"{name} must be a number of seconds", hint="such as 10.0")
    # This refuses NaN too.
    if not 0 < value <= _MAX_TIMEOUT:
        raise ValidationError(
            400,
            f"{name} must be above 0 and at most {_MAX_TIMEOUT:.0f} seconds",
            hint="httpx.Timeout(None) waits for ever",
        )
    return float(value)


def checked_retries(value: object) -> int:
    """Return `max_retries`, or refuse it."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_RETRIES:
        raise ValidationError(400, f"max_retries must be an integer from 0 to {_MAX_RETRIES}")
    return value


def checked_headers(headers: object) -> dict[str, str]:
    """Return the further headers of a client, or refuse one that it must not set."""
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise ValidationError(400, "headers must be a mapping of names to values")
    checked: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ValidationError(400, f"headers has an impossible name: {ascii(name)[:60]}")
        lowered = name.lower()
        if lowered in _CREDENTIALS:
            raise ValidationError(
                400, f"headers must not set {name}", hint="use agent_token, user_token and tenant"
            )
        if lowered in _RESERVED or lowered.startswith("sec-websocket-"):
            raise ValidationError(400, f"headers must not set {name}: the client does")
        # The value is not shown because it may be a secret.
        if not isinstance(value, str) or not (value == "" or is_header_value(value)):
            raise ValidationError(400, f"the header {name} has a value that can't be sent")
        checked[name] = value
    return checked


def is_header_value(text: str) -> bool:
    """Return whether a text can be sent as the value of a header."""
    return _HEADER_VALUE.fullmatch(text) is not None
