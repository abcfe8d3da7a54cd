"""Ray tasks."""

from __future__ import annotations

import re

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.query import QueryFields
from ..http.validation import resource_id
from ..ray.client import JsonObject, RayClient

__all__ = ["get_task", "list_tasks"]

# Only these: Ray's answer also has the task's environment with its secrets.
_FIELDS = (
    "task_id",
    "attempt_number",
    "name",
    "state",
    "job_id",
    "actor_id",
    "type",
    "func_or_class_name",
    "parent_task_id",
    "node_id",
    "worker_id",
    "worker_pid",
    "error_type",
    "error_message",
    "required_resources",
    "creation_time_ms",
    "start_time_ms",
    "end_time_ms",
    "label_selector",
    "call_site",
)
_STATES = (
    "NIL",
    "PENDING_ARGS_AVAIL",
    "PENDING_NODE_ASSIGNMENT",
    "PENDING_OBJ_STORE_MEM_AVAIL",
    "PENDING_ARGS_FETCH",
    "GETTING_AND_PINNING_ARGS",
    "SUBMITTED_TO_WORKER",
    "PENDING_ACTOR_TASK_ARGS_FETCH",
    "PENDING_ACTOR_TASK_ORDERING_OR_CONCURRENCY",
    "RUNNING",
    "RUNNING_IN_RAY_GET",
    "RUNNING_IN_RAY_WAIT",
    "FINISHED",
    "FAILED",
)
# Ray refuses any other length.
_TASK_ID = re.compile(r"[0-9a-f]{48}\Z")
_JOB_ID = re.compile(r"[0-9a-f]{8}\Z")


async def list_tasks(request: web.Request) -> web.Response:
    """Return the tasks that Ray keeps, at most 10 000; Ray filters them."""
    query = QueryFields(request)
    job_id, state = query.identifier("job_id"), query.choice("state", _STATES)
    limit = query.integer("limit", most=10_000)
    query.check()
    ray = context_of(request).ray
    filters: dict[str, str] = {}
    if job_id is not None:
        ray_id = await _ray_job_id(ray, job_id)
        if ray_id is None:
            return web.json_response([])
        filters["job_id"] = ray_id
    if state is not None:
        filters["state"] = state
    tasks = await ray.tasks(filters, limit=limit or 10_000)
    return web.json_response([_task(task) for task in tasks])


async def _ray_job_id(ray: RayClient, job_id: str) -> str | None:
    """Return Ray's own id of a job, or None if it can't have tasks."""
    try:
        # A submission id can look like one of Ray's, so ask first.
        job = await ray.job(job_id)
    except ApiError as error:
        if error.status != 404:
            raise
        # Ray may keep the tasks of a job that it no longer knows.
        return job_id if _JOB_ID.match(job_id) else None
    found: str | None = job.get("job_id")
    return found


async def get_task(request: web.Request) -> web.Response:
    """Answer with the last attempt of a task."""
    task_id = resource_id(request, "task_id")
    tasks: list[JsonObject] = []
    if _TASK_ID.match(task_id):
        tasks = await context_of(request).ray.tasks({"task_id": task_id})
    if not tasks:
        raise ApiError(404, f"there is no task {task_id}")
    return web.json_response(_task(max(tasks, key=lambda task: task.get("attempt_number") or 0)))


def _task(task: JsonObject) -> JsonObject:
    shaped: JsonObject = {name: task.get(name) for name in _FIELDS}
    for name in ("creation_time_ms", "start_time_ms", "end_time_ms"):
        if shaped[name] is not None:  # whole milliseconds, sent as floats
            shaped[name] = int(shaped[name])
    return shaped
