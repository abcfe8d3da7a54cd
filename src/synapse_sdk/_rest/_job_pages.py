"""Walking the list of jobs page by page, without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from synapse_agent_api.api.jobs.list_jobs import OPERATION, arguments

from ..clients.exceptions import ServerError
from ._core import Exchange

if TYPE_CHECKING:
    from synapse_agent_api.models import Job, JobStatus

    from .._connection import Connection

__all__ = ["JobPages"]

_CURSOR = "synapse-next-cursor"
# Pages without a job in a row, after which the agent is taken for broken.
_MAX_EMPTY = 100


class JobPages:
    """The pages of `list_jobs`: perform `exchange()`, then pass what came to `results()`; until it is None.

    The filters are applied here as well: an agent older than them answers all jobs, in one list.

    Raises:
        ServerError: A page leads in a circle, or on and on without a job.
    """

    def __init__(
        self,
        connection: Connection,
        status: JobStatus | str | None,
        metadata: Sequence[str] | Mapping[str, str] | None,
        page_size: int,
    ) -> None:
        self._connection = connection
        self._status = status
        if isinstance(metadata, Mapping):
            metadata = [f"{key}={value}" for key, value in metadata.items()]
        self._metadata = [metadata] if isinstance(metadata, str) else list(metadata or ())
        # A long-poll handler passes on no header that would lead to the next page.
        self._limit = None if connection.long_poll else page_size
        self._cursor: str | None = None
        self._seen: set[str] = set()
        self._empty = 0
        self._done = False

    def exchange(self) -> Exchange[list[Job]] | None:
        """Return the request for the next page, or None after the last."""
        if self._done:
            return None
        sent = arguments(self._status, self._metadata or None, self._limit, self._cursor)
        return Exchange(self._connection, OPERATION, sent)

    def results(self, jobs: list[Job], headers: Mapping[str, str]) -> Iterator[Job]:
        """Return the jobs of a page, and note where it leads.

        Args:
            jobs: What the answer has.
            headers: The answer's headers.
        """
        self._cursor = headers.get(_CURSOR)
        self._done = self._cursor is None
        if self._cursor is not None:
            if self._cursor in self._seen:
                raise self._error("the pages lead in a circle")
            self._seen.add(self._cursor)
            self._empty = 0 if jobs else self._empty + 1
            if self._empty >= _MAX_EMPTY:
                raise self._error(f"{_MAX_EMPTY} pages one after the other were empty")
        return filter(self._accepts, jobs)

    def _accepts(self, job: Job) -> bool:
        if self._status is not None and job.status != self._status:
            return False
        metadata = job.metadata or {}
        pairs = (wanted.partition("=") for wanted in self._metadata)
        return all(key in metadata and (not equals or metadata[key] == value) for key, equals, value in pairs)

    def _error(self, detail: str) -> ServerError:
        return ServerError(
            200,
            f"the page can't be used: {detail}",
            operation=OPERATION.summary,
            agent=self._connection.agent,
        )
