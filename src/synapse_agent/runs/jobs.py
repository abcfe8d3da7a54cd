"""Jobs, as Ray knows them."""

from __future__ import annotations

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.query import QueryFields
from ..http.validation import resource_id
from ..ray.client import TERMINAL
from ..redaction import redact
from .job_lists import JobQuery, newest_first, page_of

__all__ = ["delete_job", "get_job", "list_jobs", "stop_job"]

_STATUSES = ("PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED")


async def list_jobs(request: web.Request) -> web.Response:
    """Return the jobs that the query asks for, the newest first."""
    query = _job_query(request)
    context = context_of(request)
    # Ray has neither pages nor filters for jobs, and reads each job by itself for its list.
    jobs = None if query.cursor is None else context.recent_jobs.get()
    if jobs is None:
        jobs = newest_first(await context.jobs())
        if query.limit is not None:
            context.recent_jobs.keep(jobs)
    page, following = page_of(jobs, query)
    headers = None if following is None else {"Synapse-Next-Cursor": following}
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
    return web.json_response(redact(await context_of(request).ray.job(resource_id(request, "job_id"))))


async def stop_job(request: web.Request) -> web.Response:
    """`stopped` is false when the job was over already."""
    stopped = await context_of(request).ray.stop(resource_id(request, "job_id"))
    return web.json_response({"stopped": stopped})


async def delete_job(request: web.Request) -> web.Response:
    """Have Ray forget a job that is over; 409 while it is not, for which Ray has a 500 with a traceback."""
    ray = context_of(request).ray
    job_id = resource_id(request, "job_id")
    job = await ray.job(job_id)
    if not job.get("submission_id"):
        raise ApiError(400, f"{job_id} is a driver that was not submitted as a job, so it can't be deleted")
    if job["status"] not in TERMINAL:
        raise ApiError(409, f"job {job_id} is {job['status']}: stop it, and delete it once it is over")
    await ray.delete(job["submission_id"])
    return web.Response(status=204)
