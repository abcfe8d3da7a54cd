from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read
from .task_state import TaskState
from .task_type import TaskType

__all__ = ["Task"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Task(Model):
    """A Ray task, in one of its attempts.

    Attributes:
        task_id: The task's id in Ray.
        attempt_number: Which attempt this is, from 0.
        name: Its name.
        state: Its status.
        job_id: Ray's own id of the job it belongs to.
        actor_id: The actor it runs on, if any.
        type: What kind of task it is.
        func_or_class_name: The function or class it runs.
        parent_task_id: The task that made it.
        node_id: The node it runs on, once it has one.
        worker_id: The worker it runs in, once it has one.
        worker_pid: That worker's process id.
        error_type: A word for the kind of failure.
        error_message: The failure in words, traceback included.
        required_resources: What it asks of a node, by name; CPU and GPU as counts, memory in bytes.
        creation_time_ms: When it was made, in milliseconds since the epoch.
        start_time_ms: When it began to run, in milliseconds since the epoch.
        end_time_ms: When it ended, in milliseconds since the epoch.
        label_selector: The labels it asks of a node.
        call_site: Where in the source it was called.
    """

    task_id: str
    attempt_number: int
    name: str
    state: TaskState
    job_id: str
    actor_id: str | None = None
    type: TaskType
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

    _names: ClassVar[Mapping[str, str]] = {
        "task_id": "task_id",
        "attempt_number": "attempt_number",
        "name": "name",
        "state": "state",
        "job_id": "job_id",
        "actor_id": "actor_id",
        "type": "type",
        "func_or_class_name": "func_or_class_name",
        "parent_task_id": "parent_task_id",
        "node_id": "node_id",
        "worker_id": "worker_id",
        "worker_pid": "worker_pid",
        "error_type": "error_type",
        "error_message": "error_message",
        "required_resources": "required_resources",
        "creation_time_ms": "creation_time_ms",
        "start_time_ms": "start_time_ms",
        "end_time_ms": "end_time_ms",
        "label_selector": "label_selector",
        "call_site": "call_site",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"state": TaskState, "type": TaskType}
