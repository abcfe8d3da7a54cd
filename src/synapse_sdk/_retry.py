"""Decide whether and when a failed request is sent again. No I/O."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

from ._family import is_a, is_certificate_failure

__all__ = [
    "DEFAULT_MAX_RETRIES",
    "MAX_RETRY_AFTER",
    "NEVER_SENT",
    "backoff",
    "delay_before_retry",
    "parse_retry_after",
]

DEFAULT_MAX_RETRIES = 2

MAX_RETRY_AFTER = 30.0
"""Maximum of seconds to wait for a `Retry-After`."""

_BASE = 0.25
_CAP = 8.0
_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})
_TRANSIENT = frozenset({502, 503, 504})
_PERMANENT = ("LocalProtocolError", "UnsupportedProtocol")

NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
"""Errors of httpx after which any method may be sent again, because the request did not reach the agent."""


def backoff(attempt: int, *, base: float = _BASE, cap: float = _CAP) -> float:
    """Return the seconds to wait before the next try: doubled each time up to a maximum, with jitter.

    Args:
        attempt: Number of the try that failed, from 0.
        base: Maximum of seconds after the first failure.
        cap: Maximum of seconds.
    """
    longest = min(cap, base * 2.0 ** min(attempt, 60))
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load only


def delay_before_retry(
    method: str,
    attempt: int,
    max_retries: int,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    exception: BaseException | None = None,
) -> float | None:
    """Return the seconds to wait before a request is sent again, or `None` if it must not be.

    Pass either `status` with `headers`, or `exception`.

    Args:
        method: HTTP method.
        attempt: Number of the try that failed, from 0.
        max_retries: Maximum number of tries after the first.
        status: HTTP status of the response.
        headers: Headers of the response.
        exception: The exception of httpx, if there was no response.
    """
    if attempt >= max_retries:
        return None
    idempotent = method.upper() in _IDEMPOTENT
    if exception is not None:
        if is_a(exception, *_PERMANENT) or not is_a(exception, "TransportError"):
            return None
        if is_certificate_failure(exception):
            return None
        return backoff(attempt) if idempotent or is_a(exception, *NEVER_SENT) else None
    if not idempotent:
        return None
    asked = parse_retry_after((headers or {}).get("retry-after"))
    if status in _TRANSIENT or (status == 429 and asked is not None):
        return backoff(attempt) if asked is None else min(asked, MAX_RETRY_AFTER)
    return None


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After`, a number or an HTTP date; `None` if it can't be parsed."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        # A float of 400 digits would be infinite.
        return min(float(value), 1e9)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None
