"""Jobs."""

from __future__ import annotations

from synapse_agent_api.models import JobStopResult

from .._operations import Call, answers
from .._reply import shape
from .._state import State

__all__ = ["get_job", "get_job_logs", "list_jobs", "stop_job"]


@answers("list_jobs")
def list_jobs(state: State, _: Call) -> object:
    """All jobs, the newest first."""
    return [job.shape() for job in reversed(state.jobs.values())]


@answers("get_job")
def get_job(state: State, call: Call) -> object:
    return state.job(call.path["job_id"]).look()


@answers("get_job_logs")
def get_job_logs(state: State, call: Call) -> object:
    return state.job(call.path["job_id"]).text


@answers("stop_job")
def stop_job(state: State, call: Call) -> object:
    """A real agent's job takes some seconds to stop; this one is stopped at once or by the test."""
    return shape(JobStopResult, {"stopped": state.job(call.path["job_id"]).ask_to_stop()})
