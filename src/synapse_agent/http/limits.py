"""Limits that keep one client from using up the agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from ..errors import ApiError

__all__ = ["REFUSALS", "TAIL_SLOTS", "Limits", "TailSlots"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the agent.

    Attributes:
        connections: Connections that are open at the same time.
        tails: Log streams that are open at the same time.
        tails_per_job: The same, of one job.
        idle_timeout: Seconds in which a connection must send the head of its next request.
        body_memory: Bytes of memory for the bodies of all requests under way, as an estimate.
        body_timeout: Seconds in which the JSON body of a request must arrive.
    """

    connections: int = 4096
    tails: int = 2000
    tails_per_job: int = 1000
    idle_timeout: float = 75.0
    body_memory: int = 128 << 20
    body_timeout: float = 120.0


class TailSlots:
    """The log streams that are open."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_job: Counter[str] = Counter()
        self.open = 0
        # What streams have sent, and how many were refused.
        self.lines = self.bytes = self.refusals = 0

    def sent(self, lines: int, size: int) -> None:
        """Count lines that a stream sent, `size` bytes with their framing."""
        self.lines += lines
        self.bytes += size

    @contextmanager
    def taken(self, job_id: str) -> Generator[None]:
        """Hold a place for one stream; raise 503 if there is none."""
        if self.open >= self._limits.tails:
            self.refusals += 1
            raise _full(f"this agent has {self.open} log streams open, and takes no more")
        if self._by_job[job_id] >= self._limits.tails_per_job:
            self.refusals += 1
            raise _full(f"job {job_id} has {self._by_job[job_id]} log streams open, and may have no more")
        self.open += 1
        self._by_job[job_id] += 1
        try:
            yield
        finally:
            self.open -= 1
            self._by_job[job_id] -= 1
            if not self._by_job[job_id]:
                del self._by_job[job_id]


TAIL_SLOTS: web.AppKey[TailSlots] = web.AppKey("tail_slots", TailSlots)

# How often each limit refused something.
REFUSALS: web.AppKey[dict[str, Callable[[], int]]] = web.AppKey("refusals", dict)


def _full(why: str) -> ApiError:
    return ApiError(503, why, headers={"Retry-After": "5"})
