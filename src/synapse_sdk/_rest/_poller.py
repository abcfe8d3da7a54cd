"""Poll the agent until something is done. No I/O.

A poller is a generator. It yields `Poll` and `Sleep`; the API client sends it the result of each `Poll`, or
throws the `ClientError` of the call into it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from .._family import chain, is_a, is_certificate_failure
from .._retry import MAX_RETRY_AFTER, NEVER_SENT

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation
    from synapse_agent_api.models import Build, Container, Job, SystemStatus

__all__ = [
    "Deadline",
    "Poll",
    "Poller",
    "Sleep",
    "start_and_wait",
    "wait_for_build",
    "wait_for_job",
    "wait_for_system",
]

T = TypeVar("T")

_FIRST_PAUSE = 0.1
_MAX_SECONDS = 1_000_000.0
# Seconds to wait for an unreachable agent if there is no timeout.
_GRACE = 60.0
# Shortest timeout that still leaves the last poll time to connect.
_SHORTEST = 0.25
_FINAL_JOB = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})
_FINAL_BUILD = frozenset({"completed", "failed", "cancelled"})
_TRANSIENT = frozenset({502, 503, 504})


class Poll(Generic[T]):
    """Call an operation once.

    Attributes:
        operation: The operation to call.
        arguments: The arguments of the call.
        timeout: Maximum of seconds for connecting and for the response; None is the client's own timeout.
        extend: Whether the response may take all of `timeout` even if the client's own is shorter.
    """

    __slots__ = ("arguments", "extend", "operation", "timeout")

    def __init__(
        self,
        operation: Operation[T],
        arguments: Arguments,
        timeout: float | None = None,
        *,
        extend: bool = False,
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.timeout = timeout
        self.extend = extend


class Sleep:
    """Wait for some seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Poller = Generator[Poll[Any] | Sleep, Any, T]


class Deadline:
    """The end of the waiting, and the pauses between two polls.

    Raises:
        ValidationError: 400, a parameter is not a number of seconds.
    """

    def __init__(self, timeout: float | None, poll_interval: float) -> None:
        self.timeout = None if timeout is None else _checked_seconds(timeout, "timeout")
        self._interval = _checked_seconds(poll_interval, "poll_interval")
        self._end = None if self.timeout is None else time.monotonic() + self.timeout
        self._pause = _FIRST_PAUSE

    def remaining(self) -> float | None:
        """Return the seconds until the deadline; None without one."""
        return None if self._end is None else self._end - time.monotonic()

    def next_sleep(self, retry_after: float | None = None) -> Sleep | None:
        """Return the pause until the next poll, or None after the deadline.

        Args:
            retry_after: Seconds that the agent asked to wait.
        """
        # Short pauses first, for things that are done soon, with jitter to spread the load of many clients.
        seconds = min(self._pause, self._interval) * (0.9 + random.random() / 5)  # noqa: S311 - spreads load only
        self._pause *= 2
        if retry_after is not None:
            seconds = max(seconds, min(retry_after, MAX_RETRY_AFTER))
        remaining = self.remaining()
        if remaining is None:
            return Sleep(seconds)
        return Sleep(min(seconds, remaining)) if remaining > 0 else None


def wait_for_job(job_id: str, timeout: float | None, poll_interval: float) -> Poller[Job]:
    """Wait until a job has ended, and return it."""
    from synapse_agent_api.api.jobs.get_job import OPERATION, arguments

    return (
        yield from poll_until(
            Poll(OPERATION, arguments(job_id)),
            Deadline(timeout, poll_interval),
            lambda job: _is_one_of(job.status, _FINAL_JOB),
            lambda job: f"job {job_id} is {_word(job.status)}",
            "wait for job",
        )
    )


def wait_for_build(build_id: str, timeout: float | None, poll_interval: float) -> Poller[Build]:
    """Wait until a build is completed, and return it; raise if it failed."""
    return (yield from _wait_for_build(build_id, Deadline(timeout, poll_interval)))


def wait_for_system(timeout: float | None, poll_interval: float) -> Poller[SystemStatus]:
    """Wait until the agent answers, is not being updated, and reaches its Ray."""
    return (yield from _wait_for_system(Deadline(timeout, poll_interval)))


def start_and_wait(
    operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float
) -> Poller[Any]:
    """Call an operation, and wait until what it starts is done."""
    poller = {"build": _create_container, "system": _restart_system}[operation.waits_for]
    return (yield from poller(operation, arguments, Deadline(timeout, poll_interval)))


def _create_container(
    operation: Operation[Any], arguments: Arguments, deadline: Deadline
) -> Poller[Container]:
    accepted = yield Poll(operation, arguments)
    build_id: object = accepted.build_id
    if not isinstance(build_id, str):
        raise ServerError(500, "the agent began a build and gave no build_id", operation=operation.summary)
    from synapse_agent_api.models import Container

    build = yield from _wait_for_build(build_id, deadline)
    if not isinstance(build.result, Container):
        raise ServerError(
            500, f"build {build_id} is completed, and names no container", operation=operation.summary
        )
    return build.result


def _restart_system(
    operation: Operation[Any], arguments: Arguments, deadline: Deadline
) -> Poller[SystemStatus]:
    try:
        # The agent may pull all images before it answers.
        started = yield Poll(operation, arguments, deadline.remaining(), extend=True)
    except ClientError as error:
        if not _may_have_started(error):
            raise
    else:
        if started.status == "error":
            raise ServerError(
                500, started.message or "the agent says that it failed", operation=operation.summary
            )
    sleep = deadline.next_sleep()
    if sleep is not None:
        yield sleep
    return (yield from _wait_for_system(deadline))


def _wait_for_build(build_id: str, deadline: Deadline) -> Poller[Build]:
    from synapse_agent_api.api.containers.get_build_status import OPERATION, arguments

    build = yield from poll_until(
        Poll(OPERATION, arguments(build_id)),
        deadline,
        lambda build: _is_one_of(build.status, _FINAL_BUILD),
        lambda build: f"build {build_id} is {_word(build.status)}",
        "wait for build",
    )
    if build.status != "completed":
        reason = f": {build.error}" if build.error else ""
        raise ServerError(500, f"build {build_id} {_word(build.status)}{reason}", operation="wait for build")
    return build


def _wait_for_system(deadline: Deadline) -> Poller[SystemStatus]:
    from synapse_agent_api.api.health import health_check
    from synapse_agent_api.api.system import get_system_status
    from synapse_agent_api.models import SystemStatus

    summary = "wait for system ready"
    try:
        status = yield from poll_until(
            Poll(get_system_status.OPERATION, get_system_status.arguments()),
            deadline,
            lambda status: not status.in_progress,
            lambda status: f"the agent's {_word(status.operation or 'operation')} is under way",
            summary,
        )
    except ClientError as error:
        # Agents without system updates are never busy updating.
        if not (isinstance(error, NotFoundError) or error.status_code == 501):
            raise
        status = SystemStatus.from_dict({"in_progress": False})
    yield from poll_until(
        Poll(health_check.OPERATION, health_check.arguments()),
        deadline,
        lambda health: health.ray_available is not False,
        lambda health: f"the agent serves, and {health.message or 'has no Ray'}",
        summary,
    )
    return status


def poll_until(
    poll: Poll[T], deadline: Deadline, done: Callable[[T], bool], describe: Callable[[T], str], summary: str
) -> Poller[T]:
    """Poll until a result is done; an agent that can't be reached is polled again.

    Args:
        poll: The call to repeat.
        deadline: The end of the waiting.
        done: Returns whether a result is the final one.
        describe: Returns the state in words, for the error after the deadline.
        summary: The operation in words, for that error.

    Raises:
        ClientTimeoutError: 408, the deadline has passed.
        ClientError: Polling again would not help.
    """
    failing_since: float | None = None
    while True:
        remaining = deadline.remaining()
        timeout = None if remaining is None else max(remaining, _SHORTEST)
        failure: ClientError | None = None
        try:
            result: T = yield Poll(poll.operation, poll.arguments, timeout)
        except ClientError as error:
            if not _is_transient(error):
                raise
            now = time.monotonic()
            failing_since = now if failing_since is None else failing_since
            if remaining is None and now - failing_since > _GRACE:
                raise
            text = error.detail if isinstance(error.detail, str) else type(error).__name__
            failure, state = error, f"the agent can't be asked ({error.status_code} {text})"
        else:
            if done(result):
                return result
            failing_since, state = None, describe(result)
        sleep = deadline.next_sleep(None if failure is None else failure.retry_after)
        if sleep is None:
            raise ClientTimeoutError(
                408,
                f"after {deadline.timeout:g} s {state}",
                operation=summary,
                hint="timeout=... waits longer",
            ) from failure
        yield sleep


def _is_transient(error: ClientError) -> bool:
    """Return whether the next poll may succeed."""
    if isinstance(error, (ClientConnectionError, ClientTimeoutError, RateLimitError)):
        return not is_certificate_failure(error)
    return isinstance(error, ServerError) and error.status_code in _TRANSIENT


def _may_have_started(error: ClientError) -> bool:
    """Return whether the agent may have received the request although no response came."""
    if error.status_code in (502, 504):
        return True
    if not isinstance(error, (ClientConnectionError, ClientTimeoutError)):
        return False
    causes = list(chain(error))
    return len(causes) > 1 and not any(is_a(cause, *NEVER_SENT) for cause in causes)


def _is_one_of(value: object, values: frozenset[str]) -> bool:
    # A value from the agent may be something that is not hashable.
    return isinstance(value, str) and value in values


def _word(value: object) -> str:
    return "in an unknown state" if value is None else str(value)


def _checked_seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MAX_SECONDS:
        none = " or None" if name == "timeout" else ""
        raise ValidationError(
            400, f"{name} must be a number of seconds above 0 and at most {_MAX_SECONDS:.0f}{none}"
        )
    return float(value)
