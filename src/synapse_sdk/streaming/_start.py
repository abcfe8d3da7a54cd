"""Where in a log a stream begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

from .._exceptions import ValidationError

__all__ = ["Start", "StreamStart", "StreamStarts", "read_start", "read_starts"]

StreamStart = Literal["beginning", "end"] | int
"""Where a stream begins: with the log, at its end, or after so many of its bytes."""

StreamStarts = Literal["beginning", "end"] | Mapping[str, int]
"""The same for several jobs, or a position for each."""

_HINT = "it is 'beginning', 'end', or the position of an earlier stream"


class Start(NamedTuple):
    """The start of a stream: what follows `offset` bytes, or the last `tail` lines if they begin later."""

    offset: int = 0
    tail: int | None = None


def read_start(start: Any, tail: Any) -> Start:
    """Check the arguments of a tail.

    Raises:
        ValidationError: 400, one is wrong, or they don't go together.
    """
    if tail is not None and (isinstance(tail, bool) or not isinstance(tail, int) or tail < 0):
        raise ValidationError(400, f"tail must be a number of lines, at least 0, not {tail!r}")
    if start == "beginning":
        return Start(0, tail)
    if start == "end":
        if tail is not None:
            raise ValidationError(400, "tail and start='end' don't go together", hint="tail alone is enough")
        return Start(0, 0)
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < 10**18:
        raise ValidationError(400, f"start can't be {start!r}", hint=_HINT)
    return Start(start, tail)


def read_starts(start: Any, tail: Any, job_ids: Mapping[str, None]) -> dict[str, Start]:
    """Check the arguments of a tail of several jobs; a job that a mapping lacks begins with its log."""
    if isinstance(start, Mapping):
        positions = cast("Mapping[str, Any]", start)
        return {job_id: read_start(positions.get(job_id, 0), tail) for job_id in job_ids}
    if not isinstance(start, str):
        raise ValidationError(
            400,
            f"start of several jobs can't be {start!r}",
            hint="it is 'beginning', 'end', or a mapping of job ids to positions",
        )
    return dict.fromkeys(job_ids, read_start(start, tail))
