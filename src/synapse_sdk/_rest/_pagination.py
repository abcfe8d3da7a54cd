"""Follow the pages of a list. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast
from urllib.parse import parse_qsl

import httpx

from .._base_url import origin
from .._exceptions import ClientError, ServerError
from ._call import ApiCall

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation
    from synapse_agent_api.models import Job, JobStatus

    from .._config import ClientConfig

__all__ = ["JobPages", "Pages"]

_T_co = TypeVar("_T_co", covariant=True)
T = TypeVar("T")

_CURSOR = "synapse-next-cursor"
# Pages may be empty, for instance because the token gives no access to their items.
_MAX_EMPTY = 100


class Page(Protocol[_T_co]):
    """A page with the URL of the next one."""

    @property
    def next(self) -> str | None: ...

    @property
    def results(self) -> Sequence[_T_co]: ...


class _Progress:
    """Checks that pages lead on: to places not yet seen, and not past too many empty pages."""

    def __init__(self, config: ClientConfig, operation: Operation[Any]) -> None:
        self._config = config
        self._operation = operation
        self._seen: set[str] = set()
        self._empty = 0

    def _check_new(self, place: str, name: str = "") -> None:
        if place in self._seen:
            raise self._error(f"the pages lead in a circle{name}")
        self._seen.add(place)
        if self._empty >= _MAX_EMPTY:
            raise self._error(f"{_MAX_EMPTY} pages one after the other were empty")

    def _error(self, detail: str, hint: str | None = None) -> ClientError:
        return ServerError(
            200,
            f"the page can't be used: {detail}",
            operation=self._operation.summary,
            agent=self._config.agent,
            hint=hint,
        )


class Pages(_Progress, Generic[T]):
    """The pages of a list whose pages name the next one.

    Send `next_call()` and pass its result to `items()`, until `next_call()` is None.

    Raises:
        ServerError: 200, a page leads to another origin, in a circle, or past too many empty pages.
    """

    def __init__(self, config: ClientConfig, operation: Operation[Page[T]], arguments: Arguments) -> None:
        super().__init__(config, operation)
        self._arguments = arguments
        self._url: httpx.URL | None = None
        self._next: str | None = None

    def next_call(self) -> ApiCall[Page[T]] | None:
        """Return the call for the next page, or None after the last."""
        if self._url is None:
            return ApiCall(self._config, self._operation, self._arguments)
        if self._next is None:
            return None
        url = self._next_url(self._url, self._next)
        self._check_new(str(url), f", back to {url.path}")
        return ApiCall(self._config, self._operation, self._arguments, url=url)

    def items(self, page: Page[T], response: httpx.Response) -> Iterator[T]:
        """Return the items of a page, and keep the URL of the next one."""
        self._url = response.url
        self._seen.add(str(response.url))
        following = cast("object", page.next)
        if following is not None and not isinstance(following, str):
            raise self._error(f"its `next` is a {type(following).__name__}, not a URL")
        self._next = following or None
        results = cast("object", page.results)
        if results is not None and not isinstance(results, list):
            raise self._error(f"its `results` are a {type(results).__name__}, not a list")
        self._empty = 0 if results else self._empty + 1
        return iter(page.results or [])

    def _next_url(self, url: httpx.URL, following: str) -> httpx.URL:
        try:
            target = httpx.URL(str(url)).join(following)
        except (httpx.InvalidURL, ValueError) as exc:
            raise self._error("its `next` is not a URL") from exc
        if self._config.long_poll:
            # Only the query is used: there is no host, and the path is the same.
            return url.copy_with(params=parse_qsl(target.query.decode("ascii", "replace")))
        if not self._config.same_origin(target):
            raise self._error(
                f"the next page is at {origin(target)}, which is not followed",
                hint="if that is the agent, make it the base_url",
            )
        return self._config.with_zone(target)


class JobPages(_Progress):
    """The pages of `list_jobs`, which a response header links.

    Send `next_call()` and pass its result to `items()`, until `next_call()` is None. The filters are applied
    here as well, because older agents ignore them and return all jobs in one list.

    Raises:
        ServerError: 200, a page leads in a circle, or past too many empty pages.
    """

    def __init__(
        self,
        config: ClientConfig,
        status: JobStatus | str | None,
        metadata: Sequence[str] | Mapping[str, str] | None,
        page_size: int,
    ) -> None:
        from synapse_agent_api.api.jobs import list_jobs

        super().__init__(config, list_jobs.OPERATION)
        self._arguments = list_jobs.arguments
        self._status = status
        if isinstance(metadata, Mapping):
            metadata = [f"{key}={value}" for key, value in metadata.items()]
        self._metadata = [metadata] if isinstance(metadata, str) else list(metadata or ())
        # Long-poll responses may have no headers, so there would be no link to the next page.
        self._limit = None if config.long_poll else page_size
        self._cursor: str | None = None
        self._done = False

    def next_call(self) -> ApiCall[list[Job]] | None:
        """Return the call for the next page, or None after the last."""
        if self._done:
            return None
        arguments = self._arguments(self._status, self._metadata or None, self._limit, self._cursor)
        return ApiCall(self._config, self._operation, arguments)

    def items(self, jobs: list[Job], response: httpx.Response) -> Iterator[Job]:
        """Return the jobs of a page, and keep the link to the next one."""
        self._cursor = response.headers.get(_CURSOR)
        self._done = self._cursor is None
        if self._cursor is not None:
            self._empty = 0 if jobs else self._empty + 1
            self._check_new(self._cursor)
        return filter(self._accepts, jobs)

    def _accepts(self, job: Job) -> bool:
        if self._status is not None and job.status != self._status:
            return False
        metadata = job.metadata or {}
        pairs = (wanted.partition("=") for wanted in self._metadata)
        return all(key in metadata and (not equals or metadata[key] == value) for key, equals, value in pairs)
