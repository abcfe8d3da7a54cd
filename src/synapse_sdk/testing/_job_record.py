"""The agent's record of a fake job: its status, its log and its tails."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synapse_agent_api.models import Job, JobStatus, JobType

from ._shape import shape

if TYPE_CHECKING:
    from ._changes import Changes
    from ._faults import Drop

__all__ = ["Event", "JobOverError", "JobRecord", "PlacedEvent"]

Event = Mapping[str, object] | str
"""An event of a log stream, or text that is sent as it is."""

_FINAL = frozenset({JobStatus.STOPPED, JobStatus.SUCCEEDED, JobStatus.FAILED})
_MESSAGES = {
    JobStatus.PENDING: "Job has not started yet.",
    JobStatus.RUNNING: "Job is currently running.",
    JobStatus.STOPPED: "Job was intentionally stopped.",
    JobStatus.SUCCEEDED: "Job finished successfully.",
    JobStatus.FAILED: "Job entrypoint command failed with exit code 1.",
}
_EXIT_CODES = {JobStatus.SUCCEEDED: 0, JobStatus.FAILED: 1}


class JobOverError(RuntimeError):
    """A job that has ended can't be changed."""


@dataclass(frozen=True)
class PlacedEvent:
    """An event to send once, when a tail reaches a position in the log."""

    position: int
    event: Event


class JobRecord:
    """A job; every change is made under the lock of `changes`, which wakes its waiters."""

    def __init__(
        self,
        changes: Changes,
        job_id: str,
        statuses: Iterable[str],
        *,
        number: int,
        entrypoint: str,
        action: str | None = None,
        request: Mapping[str, Any] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        first, *ahead = map(JobStatus, statuses)
        self.id = job_id
        self.number = number
        self.status: JobStatus = first
        self.action = action
        self.request: dict[str, Any] = dict(request or {})
        self.data: bytearray = bytearray()
        self._written: list[tuple[int, float]] = []  # sizes of the log, and when it reached them
        self.events: deque[PlacedEvent] = deque()
        self.drops: deque[Drop] = deque()
        self.hold_stop = False
        self.changes = changes
        self._tails: dict[object, tuple[Callable[[], None], Callable[[], None]]] = {}
        self._ahead = deque(ahead)
        self._looked = False
        self._extra = dict(extra or {})
        self._fields: dict[str, Any] = {
            "type": JobType.SUBMISSION,
            "job_id": f"{number:08x}",
            "submission_id": job_id,
            "entrypoint": entrypoint,
            "message": _MESSAGES.get(first),
            "error_type": None,
            "start_time": _now(),
            "end_time": _now() if self.over else None,
            "metadata": {} if action is None else {"action": action},
            "runtime_env": {},
            "driver_exit_code": _EXIT_CODES.get(first),
        }

    @property
    def over(self) -> bool:
        return self.status in _FINAL

    @property
    def text(self) -> str:
        with self.changes:
            return self.data.decode("utf-8", "replace")

    @property
    def tails(self) -> int:
        return len(self._tails)

    def shape(self) -> dict[str, Any]:
        """Return the job as the agent sends it."""
        return shape(Job, {**self._fields, "status": self.status}) | self._extra

    def look(self) -> dict[str, Any]:
        """Return the job as the agent sends it, and advance to the next scripted status."""
        if self._looked and self._ahead and not self.over:
            self.set_status(self._ahead.popleft())
        self._looked = True
        return self.shape()

    def write(self, data: bytes) -> None:
        with self.changing():
            self.data += data
            self._written.append((len(self.data), time.time()))

    def written(self, position: int) -> float:
        """Return when the log reached a size in bytes, in seconds since the epoch."""
        return self._written[bisect_left(self._written, (position, 0.0))][1]

    def set_status(self, status: JobStatus, **fields: object) -> None:
        with self.changing():
            self.status = status
            self._fields |= {
                "message": _MESSAGES.get(status),
                "driver_exit_code": _EXIT_CODES.get(status),
                "end_time": _now() if self.over else None,
            }
            self._fields |= fields

    def stop(self) -> bool:
        """Stop the job, and return whether it was running."""
        with self.changes:
            if self.over:
                return False
            self.set_status(JobStatus.STOPPED)
            return True

    def ask_to_stop(self) -> bool:
        """Stop the job on a client's request, or leave it to the test."""
        with self.changes:
            return not self.over if self.hold_stop else self.stop()

    def place(self, event: Event) -> None:
        """Send an event that is not a line, at the current position."""
        with self.changes:
            self.events.append(PlacedEvent(len(self.data), event))
            self._wake()

    def attach(self, key: object, wake: Callable[[], None], drop: Callable[[], None]) -> Drop | None:
        """Add a tail, and return where it must break."""
        with self.changes:
            self._tails[key] = wake, drop
            return self.drops.popleft() if self.drops else None

    def detach(self, key: object) -> None:
        with self.changes:
            self._tails.pop(key, None)

    def drop_tails(self) -> None:
        """Break the tails that are open."""
        with self.changes:
            for _, drop in list(self._tails.values()):
                drop()

    @contextmanager
    def changing(self) -> Generator[None]:
        with self.changes:
            if self.over:
                raise JobOverError(f"job {self.id} is over: it is {self.status}")
            yield
            self._wake()

    def _wake(self) -> None:
        for wake, _ in list(self._tails.values()):
            wake()


def _now() -> int:
    return time.time_ns() // 1_000_000
