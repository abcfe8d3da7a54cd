"""State that the handlers of jobs share: the latest list, and a lock for admission."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from .lists import RecentJobs

__all__ = ["RUN_STATE", "RunState", "run_state_of"]


@dataclass(slots=True)
class RunState:
    """The state of one agent."""

    # Ray lists all jobs for each request, so the pages after the first one are served from here.
    recent_jobs: RecentJobs = field(default_factory=RecentJobs)
    # Held from counting the jobs until one is submitted, or two requests could take the last place.
    admission: asyncio.Lock = field(default_factory=asyncio.Lock)


RUN_STATE: web.AppKey[RunState] = web.AppKey("run_state", RunState)


def run_state_of(request: web.Request) -> RunState:
    """Return the state of the agent that serves a request."""
    return request.app[RUN_STATE]
