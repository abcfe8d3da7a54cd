"""Admit jobs, one at a time among all agents that share a data directory."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from ..context import AgentContext
from ..errors import ApiError
from ..ray.client import TERMINAL
from .policy import read_policy
from .state import RunState

__all__ = ["admitted"]

# Seconds to wait for another agent that is submitting a job.
_LOCK_TIMEOUT = 60.0


@asynccontextmanager
async def admitted(context: AgentContext, state: RunState) -> AsyncGenerator[None, None]:
    """Admit one job, which is to be submitted inside the context; 429 if the policy allows no more now."""
    async with state.admission, _locked(context.database.path.with_name("admission.lock")):
        await _check(context)
        yield


async def _check(context: AgentContext) -> None:
    """Raise 429 while as many jobs are active as the policy allows."""
    policy = await read_policy(context.database)
    if not policy.gatekeeping_enabled:
        return
    active = [job for job in await context.jobs() if job["status"] not in TERMINAL]
    submitted = sum(job["type"] == "SUBMISSION" for job in active)
    for count, limit, name in (
        (submitted, policy.max_concurrent_jobs, "max_concurrent_jobs"),
        (len(active), policy.max_concurrent_ray_jobs, "max_concurrent_ray_jobs"),
    ):
        if 0 < limit <= count:
            detail = f"{count} jobs are active and the policy's {name} is {limit}; try again later"
            raise ApiError(429, detail, headers={"Retry-After": "5"})


@asynccontextmanager
async def _locked(path: Path) -> AsyncGenerator[None, None]:
    """Hold the lock of a file; without its directory there is no other agent that could share it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        try:
            # A blocking call in a thread could not be cancelled, and would then keep the lock.
            async with asyncio.timeout(_LOCK_TIMEOUT):
                while not _try_lock(descriptor):  # noqa: ASYNC110  another process holds it
                    await asyncio.sleep(0.02)
        except TimeoutError:
            detail = f"another agent with the same data directory submits for more than {_LOCK_TIMEOUT:g} s"
            raise ApiError(503, f"{detail}; try again", headers={"Retry-After": "5"}) from None
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
