"""Jobs, as Ray knows them."""

from __future__ import annotations

from aiohttp import web

from synapse_agent._gateway import gateway_of
from synapse_agent._ray import JsonObject
from synapse_agent._redaction import redact
from synapse_agent._validation import resource_id

__all__ = ["get_job", "list_jobs", "stop_job"]


async def list_jobs(request: web.Request) -> web.Response:
    """All jobs, the newest first."""

    def started(job: JsonObject) -> int:
        return job.get("start_time") or 0

    jobs = sorted(await gateway_of(request).jobs(), key=started, reverse=True)
    return web.json_response(redact(jobs))


async def get_job(request: web.Request) -> web.Response:
    return web.json_response(redact(await gateway_of(request).ray.job(resource_id(request, "job_id"))))


async def stop_job(request: web.Request) -> web.Response:
    """`stopped` is false when the job was over already."""
    stopped = await gateway_of(request).ray.stop(resource_id(request, "job_id"))
    return web.json_response({"stopped": stopped})
