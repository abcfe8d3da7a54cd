"""When a request is sent again."""

from __future__ import annotations

import ssl

import httpx
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk._retry import MAX_RETRY_AFTER, backoff, delay_before_retry

METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "get"]
IDEMPOTENT = {"GET", "HEAD", "PUT", "DELETE", "get"}


@given(st.integers(0, 10**6))
def test_backoff_doubles_within_its_bounds(attempt: int) -> None:
    longest = min(8.0, 0.25 * 2 ** min(attempt, 10))
    assert longest / 2 <= backoff(attempt) <= longest


def test_backoff_is_jittered() -> None:
    assert len({backoff(3) for _ in range(10)}) > 1


@each_row("method", METHODS)
@each_row("status", [400, 404, 408, 409, 429, 500, 501, 502, 503, 504, 520])
def test_statuses(method: str, status: int) -> None:
    again = delay_before_retry(method, 0, 2, status=status, headers={}) is not None
    assert again == (status in (502, 503, 504) and method in IDEMPOTENT)


@each_row("method", METHODS)
@each_row("exception", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_was_never_sent_is_sent_again(method: str, exception: type[httpx.TransportError]) -> None:
    assert delay_before_retry(method, 1, 2, exception=exception("x")) is not None


@each_row("method", METHODS)
@each_row(
    "exception",
    [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError],
)
def test_what_may_have_arrived_is_repeated_if_idempotent(
    method: str, exception: type[httpx.TransportError]
) -> None:
    assert (delay_before_retry(method, 0, 2, exception=exception("x")) is not None) == (method in IDEMPOTENT)


@each_row(
    "exception",
    [httpx.UnsupportedProtocol("x"), httpx.LocalProtocolError("x"), httpx.DecodingError("x"), ValueError()],
)
def test_what_will_not_get_better(exception: Exception) -> None:
    assert delay_before_retry("GET", 0, 2, exception=exception) is None


def test_a_refused_certificate_is_final() -> None:
    exception = httpx.ConnectError("x")
    exception.__context__ = ssl.SSLCertVerificationError("self-signed")
    assert delay_before_retry("GET", 0, 2, exception=exception) is None


@each_row(("attempt", "retries"), [(0, 0), (2, 2), (3, 2)])
def test_enough_is_enough(attempt: int, retries: int) -> None:
    assert delay_before_retry("GET", attempt, retries, status=503, headers={}) is None


@each_row("status", [429, 502, 503, 504])
@each_row(("asked", "delay"), [("0", 0.0), ("2.5", 2.5), ("3600", MAX_RETRY_AFTER)])
def test_retry_after_is_honoured_and_capped(status: int, asked: str, delay: float) -> None:
    assert delay_before_retry("GET", 0, 2, status=status, headers={"retry-after": asked}) == delay
    assert delay_before_retry("POST", 0, 2, status=status, headers={"retry-after": asked}) is None


def test_a_retry_after_that_cannot_be_read() -> None:
    assert delay_before_retry("GET", 0, 2, status=429, headers={"retry-after": "soon"}) is None
    assert 0 < (delay_before_retry("GET", 0, 2, status=503, headers={"retry-after": "soon"}) or 0) <= 0.25
