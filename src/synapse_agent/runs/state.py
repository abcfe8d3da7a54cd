"""What handlers of jobs share: the policy, and what keeps two requests from getting in each other's way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from .lists import RecentJobs
from .policy import Policy

__all__ = ["RUN_STATE", "RunState", "run_state_of"]


@dataclass(slots=True)
class RunState:
    policy: Policy = field(default_factory=Policy)
    # Ray lists all jobs for each request, so the pages after the first one are served from here.
    recent_jobs: RecentJobs = field(default_factory=RecentJobs)
    # Held from counting the jobs until one is submitted, or two requests could take the last place.
    admission: asyncio.Lock = field(default_factory=asyncio.Lock)


RUN_STATE: web.AppKey[RunState] = web.AppKey("run_state", RunState)


def run_state_of(request: web.Request) -> RunState:
    """Return the state of the agent that serves a request."""
    return request.app[RUN_STATE]
