"""Stream limits and the validators."""

from __future__ import annotations

import copy
import dataclasses
import enum
import math
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from synapse_sdk.clients.exceptions import ValidationError
from synapse_sdk.utils.network import (
    StreamLimits,
    http_to_websocket_url,
    sanitize_error_message,
    validate_resource_id,
    validate_timeout,
)

NUMBERS = ["max_messages", "max_lines", "max_bytes", "max_message_size", "queue_size"]


def test_defaults() -> None:
    limits = StreamLimits()
    assert dataclasses.asdict(limits) == {
        "max_messages": 10_000,
        "max_lines": 50_000,
        "max_bytes": 50 * 1024 * 1024,
        "max_message_size": 10_240,
        "queue_size": 1_000,
        "on_oversize": "truncate",
    }


@each_row("name", NUMBERS)
@each_row("value", [0, -1, True, False, 1.0, math.nan, "1", [], 10.5])
def test_bad_numbers_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        StreamLimits(**{name: value})  # type: ignore[arg-type]
    assert caught.value.status_code == 400
    assert name in str(caught.value)


@each_row("name", NUMBERS)
def test_none_lifts_all_but_the_bound_of_memory(name: str) -> None:
    if name == "max_message_size":
        with pytest.raises(ValidationError, match="max_message_size"):
            StreamLimits(max_message_size=None)  # type: ignore[arg-type]
    else:
        assert getattr(StreamLimits(**{name: None}), name) is None  # type: ignore[arg-type]


@each_row("value", ["", "Truncate", None, 1, []])
def test_on_oversize_is_checked(value: object) -> None:
    with pytest.raises(ValidationError, match="on_oversize"):
        StreamLimits(on_oversize=value)  # type: ignore[arg-type]


@each_row("value", ["truncate", "skip", "error"])
def test_on_oversize(value: str) -> None:
    assert StreamLimits(on_oversize=value).on_oversize == value  # type: ignore[arg-type]


def test_unlimited() -> None:
    limits = StreamLimits.unlimited()
    assert (limits.max_messages, limits.max_lines, limits.max_bytes) == (None, None, None)
    assert limits.max_message_size == 10_240


def test_limits_are_values() -> None:
    limits = StreamLimits(max_lines=5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.max_lines = 6  # type: ignore[misc]
    for twin in (copy.copy(limits), copy.deepcopy(limits), pickle.loads(pickle.dumps(limits))):
        assert twin == limits
        assert hash(twin) == hash(limits)
    assert dataclasses.replace(limits, max_lines=6).max_lines == 6
    with pytest.raises(ValidationError):
        dataclasses.replace(limits, max_lines=0)


@given(st.from_regex(re.compile(r"[A-Za-z0-9_-]{1,100}"), fullmatch=True))
def test_good_ids(value: str) -> None:
    assert validate_resource_id(value) == value


@given(st.text(max_size=120))
def test_ids_let_nothing_else_through(value: str) -> None:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", value):
        assert validate_resource_id(value) == value
    else:
        with pytest.raises(ValidationError) as caught:
            validate_resource_id(value, "job")
        assert caught.value.status_code == 400
        assert "job id" in str(caught.value)


@each_row(
    "value",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\n",
        "ä",
        "²",
        "a b",
        "%2e",
        "x" * 101,
        None,
        True,
        1.5,
        b"a",
        [],
        "\ud800",
        10**110,
    ],
)
def test_bad_ids(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_resource_id(value, "job")
    assert str(caught.value).isascii()


def test_ids_of_other_types() -> None:
    class Name(str, enum.Enum):  # noqa: UP042 - the str() of StrEnum would hide what is tested
        A = "job-1"

    assert validate_resource_id(7) == "7"
    assert validate_resource_id(Name.A) == "job-1"


@each_row("value", [0.001, 1, 30, 30.0, 300])
def test_timeouts(value: float) -> None:
    result = validate_timeout(value)
    assert result == value
    assert isinstance(result, float)


@each_row("value", [0, -1, 300.1, math.nan, math.inf, -math.inf, True, False, "30", None, [], 10**400])
def test_bad_timeouts(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_timeout(value)
    assert caught.value.status_code == 400
    assert "timeout" in str(caught.value)


@each_row(
    ("url", "expected"),
    [
        ("http://h", "ws://h"),
        ("https://h:1/a/?b=http://c", "wss://h:1/a/?b=http://c"),
        ("HTTPS://h/", "wss://h/"),
        ("ws://h/", "ws://h/"),
        ("wss://h/", "wss://h/"),
        ("http://[::1]:8000/x", "ws://[::1]:8000/x"),
    ],
)
def test_websocket_urls(url: str, expected: str) -> None:
    assert http_to_websocket_url(url) == expected


@each_row("url", ["", "h", "ftp://h", "http://", "http:///x", "//h", "http:h", "http://h /", None, 1])
def test_bad_websocket_urls(url: object) -> None:
    with pytest.raises(ValidationError):
        http_to_websocket_url(url)  # type: ignore[arg-type]


@each_row(
    "text",
    [
        "Authorization: Bearer S3CRET",
        "authorization: S3CRET",
        "{'Authorization': 'Token S3CRET'}",
        '{"authorization": "S3CRET", "a": 1}',
        "SYNAPSE-User: Token S3CRET",
        "SYNAPSE-Tenant=Token S3CRET",
        "http://user:S3CRET@host/",
        "http://S3CRET@host/",
        "http://host/?access_token=S3CRET&x=1",
        "password=S3CRET",
        "api_key: S3CRET",
        "Bearer S3CRET123",
        "got eyJhbGciOiJI.S3CRET.abc",
        "S3CRET" + "0123456789abcdef" * 3,
    ],
)
def test_what_looks_like_a_secret_goes(text: str) -> None:
    shown = sanitize_error_message(text)
    assert "S3CRET" not in shown
    assert "***" in shown


@each_row(
    "text",
    ["no such job raysubmit_1234567890", "connection refused", "token refused", "3 tokens left", "a: b"],
)
def test_what_is_none_stays(text: str) -> None:
    assert sanitize_error_message(text) == text


def test_context() -> None:
    assert sanitize_error_message("m", context="tail") == "tail: m"
    assert sanitize_error_message(ValueError("m")) == "m"


@given(st.text())
def test_sanitized_is_one_short_printable_line(text: str) -> None:
    shown = sanitize_error_message(text)
    assert shown.isprintable()
    assert len(shown) <= 500


def test_sanitizing_is_fast() -> None:
    assert len(sanitize_error_message("a-" * 10**6)) <= 500


def test_numbers_that_python_will_not_print() -> None:
    for check in (validate_resource_id, validate_timeout, lambda value: StreamLimits(max_lines=-value)):
        with pytest.raises(ValidationError):
            check(10**5000)
