"""The list of jobs: filters, pages, and the cursor from one page to the next."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from ..errors import ApiError
from ..ray.client import JsonObject

__all__ = ["JobQuery", "RecentJobs", "newest_first", "page_of"]

# Seconds for which the pages of one list come from the same answer of Ray.
_RECENT = 10.0

# Submission time and id: unique for each job, and constant while a client pages.
_Position = tuple[int, str]


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Filters and page; each pair of `metadata` is a key and its value, or None for any value."""

    status: str | None = None
    metadata: tuple[tuple[str, str | None], ...] = ()
    limit: int | None = None
    cursor: str | None = None

    def accepts(self, job: JsonObject) -> bool:
        """Return whether a job passes the filters."""
        if self.status is not None and job.get("status") != self.status:
            return False
        metadata = cast("dict[str, str]", job.get("metadata") or {})
        return all(
            key in metadata and (value is None or metadata[key] == value) for key, value in self.metadata
        )


def newest_first(jobs: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the jobs in the order of pages."""
    return sorted(jobs, key=_position, reverse=True)


def page_of(jobs: Iterable[JsonObject], query: JobQuery) -> tuple[list[JsonObject], str | None]:
    """Return the jobs that `query` asks for, and the cursor of the next page, if there is one.

    A cursor names a position between jobs, not a count. So a client that pages while jobs come and go
    misses none and sees none twice.

    Args:
        jobs: All jobs, as `newest_first` sorts them.
        query: The filters and the page.

    Raises:
        ApiError: 400, the cursor was not made by this function.
    """
    after = None if query.cursor is None else _read_cursor(query.cursor)
    page: list[JsonObject] = []
    for job in jobs:
        if (after is not None and _position(job) >= after) or not query.accepts(job):
            continue
        if len(page) == query.limit:
            return page, _cursor(_position(page[-1]))
        page.append(job)
    return page, None


def _position(job: JsonObject) -> _Position:
    return job.get("start_time") or 0, job.get("submission_id") or job.get("job_id") or ""


def _cursor(position: _Position) -> str:
    return base64.urlsafe_b64encode(f"{position[0]}:{position[1]}".encode()).decode("ascii").rstrip("=")


def _read_cursor(text: str) -> _Position:
    try:
        padded = text + "=" * (-len(text) % 4)
        started, colon, job_id = base64.b64decode(padded, b"-_", validate=True).decode().partition(":")
        if colon and started.isascii() and started.isdecimal():
            return int(started), job_id
    except (binascii.Error, ValueError):
        pass
    raise ApiError(400, "cursor must be the value of the header Synapse-Next-Cursor of an earlier response")


class RecentJobs:
    """The latest list of jobs that a client pages through, kept for a few seconds."""

    def __init__(self) -> None:
        self._jobs: list[JsonObject] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    def get(self) -> list[JsonObject] | None:
        """Return the list, or None if it has expired."""
        return self._jobs

    def keep(self, jobs: list[JsonObject]) -> None:
        """Keep a new list, and drop it after a few seconds."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._jobs = jobs
        self._expiry = asyncio.get_running_loop().call_later(_RECENT, self._drop)

    def _drop(self) -> None:
        self._jobs = self._expiry = None
