"""The events of a stream itself, beside its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._exceptions import ClientError

__all__ = ["OnEvent", "StreamEvent", "StreamEventKind"]

StreamEventKind = Literal["connected", "fell_back", "reconnecting", "resumed", "ended"]


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """Something that happened to a log stream. `str()` describes it in a sentence.

    Attributes:
        kind: "connected": the stream is attached for the first time. "fell_back": no WebSocket could be had,
            HTTP is next; `error` says why. "reconnecting": the connection is gone, or could not be made;
            `error` says why, and the next try comes after `delay`. "resumed": attached again. "ended": the
            log is whole, or `error` says why it can't be had; a stream closed before sends no event.
        job_id: The job whose log it is.
        protocol: The protocol in use, or, before a connection, the one that is tried next.
        offset: Log bytes received so far; where a stream that resumes goes on.
        delay: Seconds until the next try.
        error: What went wrong.
        job_status: The job's status as far as it is known.

    Example:
        >>> str(StreamEvent("connected", "raysubmit_1", "websocket"))
        'the log of job raysubmit_1: connected over websocket'
    """

    kind: StreamEventKind
    job_id: str
    protocol: Literal["websocket", "http"]
    offset: int = 0
    delay: float = 0.0
    error: ClientError | None = None
    job_status: str | None = None

    def __str__(self) -> str:
        why = "" if self.error is None else f": {self.error.detail}"
        match self.kind:
            case "connected":
                what = f"connected over {self.protocol}"
            case "fell_back":
                what = f"going on over {self.protocol}{why}"
            case "reconnecting":
                what = f"reconnecting in {self.delay:.1f} s{why}"
            case "resumed":
                what = f"resumed over {self.protocol} at byte {self.offset}"
            case _:  # "ended"
                what = f"broken off after {self.offset} bytes{why}" if why else f"whole, {self.offset} bytes"
        return f"the log of job {self.job_id}: {what}"


if TYPE_CHECKING:
    OnEvent = Callable[[StreamEvent], object]
else:
    OnEvent = object
