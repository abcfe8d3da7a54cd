"""Ray tasks."""

from __future__ import annotations

import re

from aiohttp import web

from synapse_agent._errors import ApiError
from synapse_agent._gateway import gateway_of
from synapse_agent._ray import JsonObject
from synapse_agent._validation import resource_id

__all__ = ["get_task", "list_tasks"]

# Chosen, because Ray's own answer carries the environment of the task, secrets included.
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
# Ray refuses any other length.
_TASK_ID = re.compile(r"[0-9a-f]{48}\Z")


async def list_tasks(request: web.Request) -> web.Response:
    """The tasks that Ray remembers, at most 10 000."""
    return web.json_response([_task(task) for task in await gateway_of(request).ray.tasks()])


async def get_task(request: web.Request) -> web.Response:
    """The last attempt of a task."""
    task_id = resource_id(request, "task_id")
    tasks: list[JsonObject] = []
    if _TASK_ID.match(task_id):
        tasks = await gateway_of(request).ray.tasks({"task_id": task_id})
    if not tasks:
        raise ApiError(404, f"there is no task {task_id}")
    return web.json_response(_task(max(tasks, key=lambda task: task.get("attempt_number") or 0)))


def _task(task: JsonObject) -> JsonObject:
    shaped: JsonObject = {name: task.get(name) for name in _FIELDS}
    for name in ("creation_time_ms", "start_time_ms", "end_time_ms"):
        if shaped[name] is not None:  # whole milliseconds, sent as floats
            shaped[name] = int(shaped[name])
    return shaped
