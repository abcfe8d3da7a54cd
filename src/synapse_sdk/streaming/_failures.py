"""The errors of a tail, each with the operation and the agent, and without tokens. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._errors import error_from_exception
from ..clients.exceptions import ClientError, ClientTimeoutError, StreamError, WebSocketError

if TYPE_CHECKING:
    from .._connection import Connection
    from ._commands import Opened
    from ._messages import Failed

__all__ = ["Failures", "stream_error"]

E = TypeVar("E", bound=ClientError)


class Failures:
    """Makes the errors of a tail.

    Args:
        operation: What is being done, in words.
        connection: The agent, and the tokens that it may echo.
    """

    def __init__(self, operation: str, connection: Connection) -> None:
        self.operation = operation
        self._connection = connection

    def error(self, kind: type[E], status_code: int, detail: str, *, hint: str | None = None) -> E:
        """Return an error of some kind."""
        # An agent may echo what it was sent, such as in the reason of a close.
        detail = self._connection.redact(detail)
        return kind(status_code, detail, operation=self.operation, agent=self._connection.agent, hint=hint)

    def complete(self, error: ClientError) -> None:
        """Add the operation and the agent to an error that lacks them."""
        if error.operation is None:
            error.operation = self.operation
            error.agent = self._connection.agent

    def from_exception(self, exc: Exception) -> ClientError:
        """Return the error for an exception, which may be of another package, such as httpx."""
        if isinstance(exc, ClientError):
            return exc
        return error_from_exception(exc, operation=self.operation, agent=self._connection.agent)

    def no_answer(self, seconds: float) -> ClientError:
        """Return the error for a peer that did not answer in time."""
        return self.error(ClientTimeoutError, 408, f"no answer within {seconds:g} s")

    def refused(self, opened: Opened) -> ClientError:
        """Return the error for a response that is not the one asked for."""
        return self._connection.error_from_response(
            opened.status, opened.headers, opened.body, operation=self.operation
        )

    def reported(self, failed: Failed, protocol: str) -> ClientError:
        """Return the error that the agent reported in an event."""
        message = self._connection.redact(failed.message)
        if failed.status_code is None:
            return self.error(stream_error(protocol), 500, message)
        return self._connection.error_from_response(
            failed.status_code,
            {"content-type": "text/plain"},
            message.encode(errors="replace"),
            operation=self.operation,
        )


def stream_error(protocol: str) -> type[StreamError]:
    """Return the class of an error in the middle of a stream."""
    return WebSocketError if protocol == "websocket" else StreamError
