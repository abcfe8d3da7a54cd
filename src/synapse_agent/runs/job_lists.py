"""Parts of the list of jobs: filters, pages, and the cursor that leads from one page to the next."""

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

# Seconds for which a list of jobs serves the pages after its first one.
_RECENT = 10.0

# When a job was submitted, and its id: no two jobs have the same, and neither changes while a client pages.
_Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class JobQuery:
    """What a client asks for: `metadata` pairs are a key and its value, or None for any value."""

    status: str | None = None
    metadata: tuple[tuple[str, str | None], ...] = ()
    limit: int | None = None
    cursor: str | None = None

    def accepts(self, job: JsonObject) -> bool:
        """Whether a job passes the filters."""
        if self.status is not None and job.get("status") != self.status:
            return False
        metadata = cast("dict[str, str]", job.get("metadata") or {})
        return all(
            key in metadata and (value is None or metadata[key] == value) for key, value in self.metadata
        )


def newest_first(jobs: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the jobs in the order of pages."""
    return sorted(jobs, key=_place, reverse=True)


def page_of(jobs: Iterable[JsonObject], query: JobQuery) -> tuple[list[JsonObject], str | None]:
    """Return the jobs that `query` asks for, and the cursor of those that follow them, if there are any.

    A cursor names a place between jobs rather than a count, so that jobs that come and go while a client
    pages make it neither miss one nor see one twice.

    Args:
        jobs: All jobs, as `newest_first` sorts them.
        query: The filters and the page.

    Raises:
        ApiError: 400, the cursor is not one that this made.
    """
    after = None if query.cursor is None else _read_cursor(query.cursor)
    page: list[JsonObject] = []
    for job in jobs:
        if (after is not None and _place(job) >= after) or not query.accepts(job):
            continue
        if len(page) == query.limit:
            return page, _cursor(_place(page[-1]))
        page.append(job)
    return page, None


def _place(job: JsonObject) -> _Place:
    return job.get("start_time") or 0, job.get("submission_id") or job.get("job_id") or ""


def _cursor(place: _Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode("ascii").rstrip("=")


def _read_cursor(text: str) -> _Place:
    try:
        padded = text + "=" * (-len(text) % 4)
        started, colon, job_id = base64.b64decode(padded, b"-_", validate=True).decode().partition(":")
        if colon and started.isascii() and started.isdecimal():
            return int(started), job_id
    except (binascii.Error, ValueError):
        pass
    raise ApiError(400, "cursor must be what the header Synapse-Next-Cursor of an answer was")


class RecentJobs:
    """The last list of jobs that somebody began to page through, for some seconds."""

    def __init__(self) -> None:
        self._jobs: list[JsonObject] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    def get(self) -> list[JsonObject] | None:
        """Return the list, or None if there is no recent one."""
        return self._jobs

    def keep(self, jobs: list[JsonObject]) -> None:
        """Keep a list that was just made, and drop it after some seconds."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._jobs = jobs
        self._expiry = asyncio.get_running_loop().call_later(_RECENT, self._drop)

    def _drop(self) -> None:
        self._jobs = self._expiry = None
