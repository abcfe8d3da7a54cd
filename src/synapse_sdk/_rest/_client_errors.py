"""Errors for calls that a client refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._exceptions import ClientConnectionError, ClientError, ServerError, ValidationError

if TYPE_CHECKING:
    from .._config import ClientConfig

__all__ = ["closed_error", "raw_wait_error", "stream_error"]


def closed_error(config: ClientConfig, operation: str) -> ClientError:
    """Return the error for a call of a closed client."""
    return ClientConnectionError(
        503,
        "this client is closed",
        operation=operation,
        agent=config.agent,
        hint="make a new one; one client serves many calls and threads",
    )


def stream_error(config: ClientConfig) -> ClientError:
    """Return the error for a log stream of a client with a long-poll handler."""
    return ServerError(
        500,
        "a long-poll handler can't carry a log tail, neither as a WebSocket nor over HTTP",
        operation="tail job logs",
        agent=config.agent,
        hint="get_job_logs gives the log so far, wait_for_job waits for its end",
    )


def raw_wait_error(config: ClientConfig, operation: str) -> ClientError:
    """Return the error for waiting with `with_raw_response`."""
    return ValidationError(
        400,
        "with_raw_response gives the answer to one request, so that it can't wait",
        operation=operation,
        agent=config.agent,
        hint="wait for it by a call of its own, such as wait_for_build",
    )
