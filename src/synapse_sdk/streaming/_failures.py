"""The errors of a tail, each with the operation and the agent, and without tokens. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .._exceptions import ClientError, ClientTimeoutError, StreamError, WebSocketError
from .._http._errors import error_from_exception, error_from_response
from ._commands import Opened

if TYPE_CHECKING:
    from .._config import ClientConfig
    from ._messages import Failed

__all__ = ["Failures", "stream_error"]

E = TypeVar("E", bound=ClientError)


@dataclass(frozen=True, slots=True)
class Failures:
    """Makes the errors of a tail.

    Attributes:
        operation: A description of what is being done.
        config: The agent, and the tokens that it may echo.
    """

    operation: str
    config: ClientConfig

    def error(self, kind: type[E], status_code: int, detail: str, *, hint: str | None = None) -> E:
        """Return an error of some kind."""
        # An agent may echo what it was sent, such as in the reason of a close.
        detail = self.config.redact(detail)
        return kind(status_code, detail, operation=self.operation, agent=self.config.agent, hint=hint)

    def complete(self, error: ClientError) -> None:
        """Add the operation and the agent to an error that lacks them."""
        if error.operation is None:
            error.operation = self.operation
            error.agent = self.config.agent

    def from_exception(self, exc: Exception) -> ClientError:
        """Return the error for an exception, which may be of another package, such as httpx."""
        return error_from_exception(exc, operation=self.operation, agent=self.config.agent)

    def no_answer(self, seconds: float) -> ClientError:
        """Return the error for a peer that did not answer in time."""
        return self.error(ClientTimeoutError, 408, f"no answer within {seconds:g} s")

    def refused(self, opened: Opened) -> ClientError:
        """Return the error for a response that is not the one asked for."""
        return error_from_response(
            opened.status,
            opened.headers,
            opened.body,
            operation=self.operation,
            agent=self.config.agent,
            redact=self.config.redact,
        )

    def reported(self, failed: Failed, protocol: str) -> ClientError:
        """Return the error that the agent reported in an event."""
        if failed.status_code is None:
            return self.error(stream_error(protocol), 500, failed.message)
        body = self.config.redact(failed.message).encode(errors="replace")
        return self.refused(Opened(failed.status_code, {"content-type": "text/plain"}, body))


def stream_error(protocol: str) -> type[StreamError]:
    """Return the class of an error in the middle of a stream."""
    return WebSocketError if protocol == "websocket" else StreamError
