"""Waiting for what an agent does, without I/O: what to ask next, how long to pause, when it is over.

A plan is a generator. It yields `Ask` and `Pause`, and is sent the answer of an `Ask`, or thrown the
`ClientError` that came in its place. The transports carry it out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._errors import chain, is_certificate_failure
from .._http._family import is_a
from .._retry import MAX_RETRY_AFTER, NEVER_SENT
from ..clients.exceptions import (
    ClientConnectionError,
    ClientError,
    ClientTimeoutError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)

if TYPE_CHECKING:
    from synapse_agent_api.client import Arguments, Operation
    from synapse_agent_api.models import Build, Container, Job, SystemStatus

__all__ = ["Ask", "Pause", "Plan", "after", "build", "job", "system"]

T = TypeVar("T")

_FIRST_PAUSE = 0.1
_MAX_SECONDS = 1_000_000.0
# Without a deadline, an agent that is gone would be waited for till the end of days.
_GRACE = 60.0
# Below this a connection can't be made, so that the last look before a deadline gets a chance.
_SHORTEST = 0.25
_FINAL_JOB = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})
_FINAL_BUILD = frozenset({"completed", "failed", "cancelled"})
_PASSING = frozenset({502, 503, 504})


class Ask(Generic[T]):
    """Ask the agent once.

    Attributes:
        operation: What to ask.
        arguments: With what.
        within: Seconds that connecting, and waiting for the answer, may take each; None is what the client
            has.
        patient: Whether the answer may take all of `within`, and not only what the client has.
    """

    __slots__ = ("arguments", "operation", "patient", "within")

    def __init__(
        self,
        operation: Operation[T],
        arguments: Arguments,
        within: float | None = None,
        *,
        patient: bool = False,
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.within = within
        self.patient = patient


class Pause:
    """Do nothing for some seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Plan = Generator[Ask[Any] | Pause, Any, T]


class Budget:
    """How long to wait in all, and from one look to the next.

    Raises:
        ValidationError: 400, for seconds that are none.
    """

    def __init__(self, timeout: float | None, poll_interval: float) -> None:
        self.timeout = None if timeout is None else _seconds(timeout, "timeout")
        self._interval = _seconds(poll_interval, "poll_interval")
        self._end = None if self.timeout is None else time.monotonic() + self.timeout
        self._pause = _FIRST_PAUSE

    def left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self._end is None else self._end - time.monotonic()

    def pause(self, asked: float | None = None) -> Pause | None:
        """The time to the next look, None where it would be too late.

        Args:
            asked: Seconds that the agent asked for.
        """
        # What is over soon is seen soon; spread, so that many waiting clients don't ask at once.
        seconds = min(self._pause, self._interval) * (0.9 + random.random() / 5)  # noqa: S311 - guards nothing
        self._pause *= 2
        if asked is not None:
            seconds = max(seconds, min(asked, MAX_RETRY_AFTER))
        left = self.left()
        if left is None:
            return Pause(seconds)
        return Pause(min(seconds, left)) if left > 0 else None


def job(job_id: str, timeout: float | None, poll_interval: float) -> Plan[Job]:
    """Wait until a job is over; give back what it is then."""
    from synapse_agent_api.api.jobs.get_job import OPERATION, arguments

    return (
        yield from _until(
            Ask(OPERATION, arguments(job_id)),
            Budget(timeout, poll_interval),
            lambda answer: _is_one_of(answer.status, _FINAL_JOB),
            lambda answer: f"job {job_id} is {_word(answer.status)}",
            "wait for job",
        )
    )


def build(build_id: str, timeout: float | None, poll_interval: float) -> Plan[Build]:
    """Wait until a build is completed; give it back, or raise where it failed."""
    return (yield from _build(build_id, Budget(timeout, poll_interval)))


def system(timeout: float | None, poll_interval: float) -> Plan[SystemStatus]:
    """Wait until the agent serves and has its Ray."""
    return (yield from _system(Budget(timeout, poll_interval)))


def after(
    operation: Operation[Any], arguments: Arguments, timeout: float | None, poll_interval: float
) -> Plan[Any]:
    """Begin something, and wait for what its operation says."""
    plan = {"build": _built, "system": _restarted}[operation.waits_for]
    return (yield from plan(operation, arguments, Budget(timeout, poll_interval)))


def _built(operation: Operation[Any], arguments: Arguments, budget: Budget) -> Plan[Container]:
    accepted = yield Ask(operation, arguments)
    build_id: object = accepted.build_id
    if not isinstance(build_id, str):
        raise ServerError(500, "the agent began a build and gave no build_id", operation=operation.summary)
    from synapse_agent_api.models import Container

    done = yield from _build(build_id, budget)
    if not isinstance(done.result, Container):
        raise ServerError(
            500, f"build {build_id} is completed, and names no container", operation=operation.summary
        )
    return done.result


def _restarted(operation: Operation[Any], arguments: Arguments, budget: Budget) -> Plan[SystemStatus]:
    try:
        # The agent may answer only when it has pulled all images.
        begun = yield Ask(operation, arguments, budget.left(), patient=True)
    except ClientError as error:
        if not _broke_off(error):
            raise
    else:
        if begun.status == "error":
            raise ServerError(
                500, begun.message or "the agent says that it failed", operation=operation.summary
            )
    pause = budget.pause()
    if pause is not None:
        yield pause
    return (yield from _system(budget))


def _build(build_id: str, budget: Budget) -> Plan[Build]:
    from synapse_agent_api.api.containers.get_build_status import OPERATION, arguments

    done = yield from _until(
        Ask(OPERATION, arguments(build_id)),
        budget,
        lambda answer: _is_one_of(answer.status, _FINAL_BUILD),
        lambda answer: f"build {build_id} is {_word(answer.status)}",
        "wait for build",
    )
    if done.status != "completed":
        why = f": {done.error}" if done.error else ""
        raise ServerError(500, f"build {build_id} {_word(done.status)}{why}", operation="wait for build")
    return done


def _system(budget: Budget) -> Plan[SystemStatus]:
    from synapse_agent_api.api.health import health_check
    from synapse_agent_api.api.system import get_system_status
    from synapse_agent_api.models import SystemStatus

    summary = "wait for system ready"
    try:
        status = yield from _until(
            Ask(get_system_status.OPERATION, get_system_status.arguments()),
            budget,
            lambda answer: not answer.in_progress,
            lambda answer: f"the agent's {_word(answer.operation or 'operation')} is under way",
            summary,
        )
    except ClientError as error:
        # An agent that can't update itself is never in the middle of it.
        if not (isinstance(error, NotFoundError) or error.status_code == 501):
            raise
        status = SystemStatus.from_dict({"in_progress": False})
    yield from _until(
        Ask(health_check.OPERATION, health_check.arguments()),
        budget,
        lambda answer: answer.ray_available is not False,
        lambda answer: f"the agent serves, and {answer.message or 'has no Ray'}",
        summary,
    )
    return status


def _until(
    ask: Ask[T], budget: Budget, over: Callable[[T], bool], told: Callable[[T], str], summary: str
) -> Plan[T]:
    """Ask again and again, until it is over or time is up; an agent that is away may come back."""
    failing_since: float | None = None
    while True:
        left = budget.left()
        within = None if left is None else max(left, _SHORTEST)
        trouble: ClientError | None = None
        try:
            answer: T = yield Ask(ask.operation, ask.arguments, within)
        except ClientError as error:
            if not _passing(error):
                raise
            now = time.monotonic()
            failing_since = now if failing_since is None else failing_since
            if left is None and now - failing_since > _GRACE:
                raise
            trouble, state = error, f"the agent can't be asked ({error.status_code} {_text(error)})"
        else:
            if over(answer):
                return answer
            failing_since, state = None, told(answer)
        pause = budget.pause(None if trouble is None else trouble.retry_after)
        if pause is None:
            raise ClientTimeoutError(
                408,
                f"after {budget.timeout:g} s {state}",
                operation=summary,
                hint="timeout=... waits longer",
            ) from trouble
        yield pause


def _passing(error: ClientError) -> bool:
    """Tell whether an error may be gone at the next look."""
    if isinstance(error, (ClientConnectionError, ClientTimeoutError, RateLimitError)):
        return not is_certificate_failure(error)
    return isinstance(error, ServerError) and error.status_code in _PASSING


def _broke_off(error: ClientError) -> bool:
    """Tell whether what was asked for may be under way although its answer did not come."""
    if error.status_code in (502, 504):
        return True
    if not isinstance(error, (ClientConnectionError, ClientTimeoutError)):
        return False
    causes = list(chain(error))
    return len(causes) > 1 and not any(is_a(cause, *NEVER_SENT) for cause in causes)


def _text(error: ClientError) -> str:
    return error.detail if isinstance(error.detail, str) else type(error).__name__


def _is_one_of(value: object, these: frozenset[str]) -> bool:
    # What is no string came so from the agent, and need not be hashable.
    return isinstance(value, str) and value in these


def _word(value: object) -> str:
    return "in an unknown state" if value is None else str(value)


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MAX_SECONDS:
        none = " or None" if name == "timeout" else ""
        raise ValidationError(
            400, f"{name} must be a number of seconds above 0 and at most {_MAX_SECONDS:.0f}{none}"
        )
    return float(value)
