"""Limits of a log stream, and checks of what goes over the network.

Every refusal is a `ValidationError` with status 400.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, get_args

from ..clients.exceptions import ValidationError

__all__ = [
    "StreamLimits",
    "http_to_websocket_url",
    "sanitize_error_message",
    "validate_resource_id",
    "validate_timeout",
]

OnOversize = Literal["truncate", "skip", "error"]

MAX_ID_LENGTH = 100
MAX_STREAM_TIMEOUT = 300.0

_RESOURCE_ID = re.compile(r"[A-Za-z0-9_-]+")
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]+)(\S*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What one log stream may take. Immutable; `dataclasses.replace` makes a changed copy.

    `None` lifts a limit, except for `max_message_size`, which bounds memory.

    Attributes:
        max_messages: WebSocket messages in one tail.
        max_lines: Lines in one tail over HTTP.
        max_bytes: Log bytes in one tail, over either protocol, counted decoded.
        max_message_size: Bytes of one log line.
        queue_size: Lines held for a consumer that lags, wherever a tail reads ahead.
        on_oversize: What happens to a line over `max_message_size`: "truncate" keeps its first bytes and
            marks the cut, "skip" drops it and counts it, "error" raises.

    Raises:
        ValidationError: 400, for a value that is zero, negative or no integer.

    Example:
        >>> StreamLimits(max_lines=1_000).max_lines
        1000
        >>> StreamLimits.unlimited().max_bytes is None
        True
    """

    max_messages: int | None = 10_000
    max_lines: int | None = 50_000
    max_bytes: int | None = 50 * 1024 * 1024
    max_message_size: int = 10_240
    queue_size: int | None = 1_000
    on_oversize: OnOversize = "truncate"

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if field.name == "on_oversize":
                if not isinstance(value, str) or value not in get_args(OnOversize):
                    raise ValidationError(
                        400, f"on_oversize must be 'truncate', 'skip' or 'error', not {_shown(value)}"
                    )
            elif value is None and field.name != "max_message_size":
                continue
            elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
                none = "" if field.name == "max_message_size" else " or None"
                raise ValidationError(
                    400, f"{field.name} must be a positive integer{none}, not {_shown(value)}"
                )

    @classmethod
    def unlimited(cls) -> StreamLimits:
        """Limits without totals: messages, lines and bytes are lifted, the bound of a single line stays.

        Example:
            >>> StreamLimits.unlimited().max_message_size
            10240
        """
        return cls(max_messages=None, max_lines=None, max_bytes=None)


def validate_resource_id(value: Any, kind: str = "resource") -> str:
    """Give back a resource id that is safe in a path.

    Args:
        value: Letters, digits, `-` and `_`, at most 100 of them; an `int` is taken for its digits.
        kind: What the id is of, for the message.

    Raises:
        ValidationError: 400, if it is empty, too long or has other characters.

    Example:
        >>> validate_resource_id("raysubmit_42", "job")
        'raysubmit_42'
    """
    text = path_text(value, f"{kind} id")
    if not _RESOURCE_ID.fullmatch(text):
        raise ValidationError(
            400, f"{kind} id may have letters, digits, '-' and '_' only, not {_shown(text)}"
        )
    return text


def validate_timeout(timeout: Any) -> float:
    """Give back the timeout of a stream as a float.

    Args:
        timeout: Seconds, above 0 and at most 300.

    Raises:
        ValidationError: 400, if it is out of range or no number.

    Example:
        >>> validate_timeout(30)
        30.0
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise ValidationError(400, f"timeout must be a number of seconds, not {_shown(timeout)}")
    # A NaN is in no range, so this refuses it too.
    if not 0 < timeout <= MAX_STREAM_TIMEOUT:
        raise ValidationError(
            400, f"timeout must be above 0 and at most {MAX_STREAM_TIMEOUT:g} seconds, not {_shown(timeout)}"
        )
    return float(timeout)


def http_to_websocket_url(url: str) -> str:
    """Give back the URL with the WebSocket scheme in place of the HTTP one.

    Raises:
        ValidationError: 400, if it is no absolute http, https, ws or wss URL.

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


_HIDDEN = "***"
_MAX_MESSAGE = 500


def sanitize_error_message(message: object, context: str = "") -> str:
    """Give back an error message that may be shown: one line of at most 500 characters, without secrets.

    Control characters become spaces. What looks like a token (a credential header, `token=...`, a password in
    a URL, a JWT, a run of 40 and more letters and digits) becomes `***`.

    Args:
        message: The message, or the exception.
        context: What was being done; it goes before the message.

    Example:
        >>> sanitize_error_message("refused: Authorization: Bearer abc123", "tail job logs")
        'tail job logs: refused: Authorization: ***'
    """
    # Only so much is looked at: the patterns shall not have a megabyte of HTML to walk through.
    text = str(message)[: 8 * _MAX_MESSAGE]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for pattern, replacement in _secrets():
        text = pattern.sub(replacement, text)
    if len(text) > _MAX_MESSAGE:
        text = text[: _MAX_MESSAGE - 1] + "…"
    return f"{context}: {text}" if context else text


def path_text(value: object, name: str) -> str:
    """Give back what stands for `value` in a path, or refuse it: empty, over 100 characters, a bool."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValidationError(400, f"{name} must be a string, not {_shown(value)}")
    if isinstance(value, int) and value.bit_length() > 4 * MAX_ID_LENGTH:
        # Python itself refuses to print some of these.
        raise ValidationError(400, f"{name} is too large a number")
    # Past the class of an enum member, whose str() would be its name.
    text = str.__str__(value) if isinstance(value, str) else int.__repr__(value)
    if not text:
        raise ValidationError(400, f"{name} must not be empty")
    if len(text) > MAX_ID_LENGTH:
        raise ValidationError(400, f"{name} may have at most {MAX_ID_LENGTH} characters, not {len(text)}")
    return text


def _shown(value: object) -> str:
    if value is None or isinstance(value, (str, int, float)):
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and value.bit_length() > 128:
            return "a number that large"
        text = ascii(value)
        return text if len(text) <= 60 else text[:57] + "..."
    return f"a {type(value).__name__}"


@cache
def _secrets() -> tuple[tuple[re.Pattern[str], str], ...]:
    # Compiled when the first error is shown: compiling is a tenth of this package's import.
    return (
        # A name that promises a secret, with its value.
        (
            re.compile(
                r"(?i)((?:authorization|synapse-user|synapse-tenant|cookie|(?:api|access|secret)[-_]?key"
                r"|[a-z_-]*token|password|passwd|secret)[\"']?\s*[=:]\s*[\"']?)"
                r"(?:(?:bearer|token|basic)\s+)?[^\s\"',;&}]+"
            ),
            rf"\1{_HIDDEN}",
        ),
        (re.compile(r"(?i)\b(bearer|token|basic)\s+(?=[^\s\"',;]*[\d_=.-])[^\s\"',;]{8,}"), rf"\1 {_HIDDEN}"),
        (re.compile(r"(//)[^/\s@]+@"), rf"\1{_HIDDEN}@"),
        (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), _HIDDEN),
        (re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}"), _HIDDEN),
    )
