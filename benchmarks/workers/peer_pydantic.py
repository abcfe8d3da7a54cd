"""pydantic: the tasks as a list of models, decoded and checked from the JSON in one go, its quickest way."""

from __future__ import annotations

import urllib.request
from enum import StrEnum

import measure
from measure import Job, Measured
from pydantic import BaseModel, TypeAdapter


class State(StrEnum):
    PENDING_NODE_ASSIGNMENT = "PENDING_NODE_ASSIGNMENT"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class Type(StrEnum):
    NORMAL_TASK = "NORMAL_TASK"
    ACTOR_TASK = "ACTOR_TASK"


class Task(BaseModel):
    task_id: str
    attempt_number: int
    name: str
    state: State
    job_id: str
    actor_id: str | None = None
    type: Type
    func_or_class_name: str
    parent_task_id: str
    node_id: str | None = None
    worker_id: str | None = None
    worker_pid: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    required_resources: dict[str, float] | None = None
    creation_time_ms: int | None = None
    start_time_ms: int | None = None
    end_time_ms: int | None = None
    label_selector: dict[str, str] | None = None
    call_site: str | None = None


TASKS = TypeAdapter(list[Task])


def _body(job: Job) -> bytes:
    with urllib.request.urlopen(f"{job.url}tasks/") as response:
        return response.read()


def tasks(job: Job) -> Measured:
    body = _body(job)
    return measure.repeated(job, lambda: measure.read(TASKS.validate_json(body)), warm_up=2)


def tasks_memory(job: Job) -> Measured:
    body = _body(job)
    return measure.memory_of(lambda: TASKS.validate_json(body))


if __name__ == "__main__":
    measure.main({"tasks": tasks, "tasks_memory": tasks_memory})
