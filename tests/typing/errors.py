"""What type checkers make of the errors; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

from typing import Any, assert_type

from synapse_sdk.clients.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    FieldError,
    GpuUnavailableError,
    HTTPError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StreamError,
    StreamLimitExceededError,
    ValidationError,
    WebSocketError,
)


def attributes(error: ClientError) -> None:
    assert_type(error.status_code, int)
    assert_type(error.detail, Any)
    assert_type(error.body, Any)
    assert_type(error.operation, str | None)
    assert_type(error.agent, str | None)
    assert_type(error.hint, str | None)
    assert_type(error.retry_after, float | None)
    assert_type(str(error), str)


def caught() -> None:
    try:
        raise NotFoundError(
            404, "no such job", operation="get job", agent="http://a", hint="look", retry_after=1
        )
    except ValidationError as error:
        assert_type(error.field_errors, list[FieldError])
        for field in error.field_errors:
            assert_type(field["loc"], list[str | int])
            assert_type(field["msg"], str)
            assert_type(field["type"], str)
            assert_type(field["input"], Any)
    except (ClientConnectionError, ClientTimeoutError) as error:
        assert_type(error, ClientConnectionError | ClientTimeoutError)
        assert_type(error.status_code, int)
    except ClientError as error:
        assert_type(error, ClientError)


def family(
    connection: ClientConnectionError,
    timeout: ClientTimeoutError,
    http: AuthenticationError | AuthorizationError | NotFoundError | ValidationError,
    more_http: RateLimitError | ServerError | GpuUnavailableError,
    stream: StreamLimitExceededError | WebSocketError,
) -> None:
    any_http: list[HTTPError] = [http, more_http]
    any_stream: list[StreamError] = [stream]
    every: list[ClientError] = [connection, timeout, *any_http, *any_stream]
    assert_type(every[0].status_code, int)
