"""When a request is sent again, and after how long. No I/O."""

from __future__ import annotations

import random
from collections.abc import Mapping

from ._errors import is_certificate_failure, parse_retry_after
from ._http._family import is_a

__all__ = ["MAX_RETRY_AFTER", "NEVER_SENT", "backoff", "delay_before_retry"]

MAX_RETRY_AFTER = 30.0
"""Seconds that a `Retry-After` may make us wait, at most."""

_BASE = 0.25
_CAP = 8.0
_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})
_TRANSIENT = frozenset({502, 503, 504})
_HOPELESS = ("LocalProtocolError", "UnsupportedProtocol")

NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")
"""Errors of httpx after which any method may be sent again: the request can't have reached the agent."""


def backoff(attempt: int, *, base: float = _BASE, cap: float = _CAP) -> float:
    """Seconds to wait before try number `attempt` + 1: doubling, capped, and jittered over its upper half.

    Args:
        attempt: Tries that failed already, less one: 0 after the first.
        base: Seconds at most after the first failure.
        cap: Seconds at most.
    """
    longest = min(cap, base * 2.0 ** min(attempt, 60))
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


def delay_before_retry(
    method: str,
    attempt: int,
    max_retries: int,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    exception: BaseException | None = None,
) -> float | None:
    """Seconds to wait before sending a request again, or `None` where it must not be sent again.

    Exactly one of `status` (with `headers`) and `exception` says what happened.

    Args:
        method: HTTP method.
        attempt: 0 for the first try.
        max_retries: Tries after the first.
        status: Status of the answer.
        headers: Headers of the answer.
        exception: What httpx raised in place of an answer.
    """
    if attempt >= max_retries:
        return None
    idempotent = method.upper() in _IDEMPOTENT
    if exception is not None:
        if is_a(exception, *_HOPELESS) or not is_a(exception, "TransportError"):
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
