"""Jobs."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from synapse_agent_api.models import JobStopResult

from .._operations import Call, answers
from .._reply import ApiError, Reply
from .._shape import shape
from .._state import State
from .._window import Window

__all__ = ["delete_job", "get_job", "get_job_logs", "list_jobs", "stop_job"]


@answers("list_jobs")
def list_jobs(state: State, call: Call) -> object:
    """Return the jobs that the query selects, the newest first."""
    query = call.query
    before, limit = _place(query.get("cursor")), query.get("limit")
    page: list[dict[str, Any]] = []
    last = 0
    for job in reversed(state.jobs.values()):
        if before is not None and job.number >= before:
            continue
        shaped = job.shape()
        if not _passes(shaped, query):
            continue
        if len(page) == limit:
            return Reply.json(200, page, {"synapse-next-cursor": _cursor(last)})
        page.append(shaped)
        last = job.number
    return page


def _cursor(number: int) -> str:
    return urlsafe_b64encode(f"{number}:".encode()).decode("ascii").rstrip("=")


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        number, colon, _ = b64decode(cursor + "=" * (-len(cursor) % 4), b"-_").partition(b":")
        if colon and number.isdigit():
            return int(number)
    except ValueError:
        pass
    raise ApiError(400, "cursor must be what the header Synapse-Next-Cursor of an answer was")


def _passes(job: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    if job["status"] != query.get("status", job["status"]):
        return False
    metadata: Mapping[str, str] = job.get("metadata") or {}
    pairs = (wanted.partition("=") for wanted in query.get("metadata", ()))
    return all(key in metadata and (not equals or metadata[key] == value) for key, equals, value in pairs)


@answers("get_job")
def get_job(state: State, call: Call) -> object:
    return state.job(call.path["job_id"]).look()


@answers("get_job_logs")
def get_job_logs(state: State, call: Call) -> object:
    job = state.job(call.path["job_id"])
    if not state.windows:
        return job.text
    query = call.query
    start, end = Window(query.get("offset", 0), query.get("tail"), query.get("limit_bytes")).of(job.data)
    headers = {"synapse-log-offset": str(start), "synapse-log-next": str(end)}
    return Reply.json(200, job.data[start:end].decode("utf-8", "replace"), headers)


@answers("delete_job")
def delete_job(state: State, call: Call) -> object:
    job = state.job(call.path["job_id"])
    if not job.over:
        raise ApiError(409, f"job {job.id} is {job.status}: stop it, and delete it once it is over")
    del state.jobs[job.id]
    return None


@answers("stop_job")
def stop_job(state: State, call: Call) -> object:
    """Stop a job at once, or leave it to the test; a real agent takes some seconds."""
    return shape(JobStopResult, {"stopped": state.job(call.path["job_id"]).ask_to_stop()})
