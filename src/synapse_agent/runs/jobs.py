"""Operations on jobs: list, get, stop, delete."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.query import QueryFields
from ..http.validation import resource_id
from ..ray.client import TERMINAL, JsonObject, RayClient
from ..redaction import redact
from .lists import JobQuery, newest_first, page_of
from .pending import PENDING, explained
from .state import run_state_of

__all__ = ["delete_job", "get_job", "list_jobs", "stop_job"]

# Seconds that a pending job has to start and stop.
_STOP_TIMEOUT = 20.0

_STATUSES = ("PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED")


async def list_jobs(request: web.Request) -> web.Response:
    """Return the jobs that match the query, newest first."""
    query = _job_query(request)
    recent = run_state_of(request).recent_jobs
    # Ray has no pages and no filters for jobs, and its list is slow: it reads the jobs one by one.
    jobs = None if query.cursor is None else recent.get()
    if jobs is None:
        jobs = newest_first(await context_of(request).jobs())
        if query.limit is not None:
            recent.keep(jobs)
    page, next_cursor = page_of(jobs, query)
    headers = None if next_cursor is None else {"Synapse-Next-Cursor": next_cursor}
    return web.json_response(redact(page), headers=headers)


def _job_query(request: web.Request) -> JobQuery:
    fields = QueryFields(request)
    pairs = [word.partition("=") for word in fields.texts("metadata", most=1000)]
    query = JobQuery(
        status=fields.choice("status", _STATUSES),
        metadata=tuple((key, value if equals else None) for key, equals, value in pairs),
        limit=fields.integer("limit", most=1000),
        cursor=fields.text("cursor", most=500),
    )
    fields.check()
    return query


async def get_job(request: web.Request) -> web.Response:
    """Return one job; a job that stays pending comes with the reason."""
    context = context_of(request)
    job = await context.ray.job(resource_id(request, "job_id"))
    if job.get("status") == PENDING:
        job = await asyncio.to_thread(explained, job, context.log_dir)
    return web.json_response(redact(job))


async def stop_job(request: web.Request) -> web.Response:
    """Stop a job; `stopped` is false if it had already ended, 409 if Ray could not stop it.

    Ray can't stop a job before it has started: it answers that it did, and stops the job at its start, if
    that ever comes.
    """
    context = context_of(request)
    job_id = resource_id(request, "job_id")
    stopped = await context.ray.stop(job_id)
    if stopped:
        deadline = time.monotonic() + _STOP_TIMEOUT
        while (job := await _pending(context.ray, job_id)) is not None:
            if time.monotonic() > deadline:
                reason = explained(job, context.log_dir).get("message")
                raise ApiError(
                    409, f"job {job_id} has not started, so it can only stop when it does: {reason}"
                )
            await asyncio.sleep(0.2)
    return web.json_response({"stopped": stopped})


async def _pending(ray: RayClient, job_id: str) -> JsonObject | None:
    try:
        job = await ray.job(job_id)
    except ApiError:  # deleted meanwhile, or Ray is gone; it did take the request to stop
        return None
    return job if job.get("status") == PENDING else None


async def delete_job(request: web.Request) -> web.Response:
    """Delete a job that has ended; 409 while it runs, where Ray itself would answer 500."""
    ray = context_of(request).ray
    job_id = resource_id(request, "job_id")
    job = await ray.job(job_id)
    if not job.get("submission_id"):
        raise ApiError(400, f"{job_id} is a driver that was not submitted as a job; it can't be deleted")
    if job["status"] not in TERMINAL:
        raise ApiError(409, f"job {job_id} is {job['status']}: stop it, then delete it once it has ended")
    await ray.delete(job["submission_id"])
    return web.Response(status=204)
