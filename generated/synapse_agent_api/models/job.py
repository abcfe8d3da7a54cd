from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_model, decode_when_read
from .job_driver_info import JobDriverInfo
from .job_status import JobStatus
from .job_type import JobType

__all__ = ["Job"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Job(Model):
    """A Ray job.

    Attributes:
        type: Whether it was submitted, or is a driver that connected directly.
        job_id: Ray's own id; null unless the job's driver connects to Ray.
        submission_id: The id it was submitted under, by which the agent knows it; null for a plain driver.
        driver_info: The job's driver, once it has connected to Ray.
        status: The job's status.
        entrypoint: The command that the job runs.
        message: The status in words.
        error_type: A word for the kind of failure; null unless the job failed.
        start_time: When it started, in milliseconds since the epoch.
        end_time: When it ended, in milliseconds since the epoch; null until then.
        metadata: What was attached to the job when it was submitted.
        runtime_env: The Ray runtime environment it runs in.
        driver_agent_http_address: The address of Ray's agent on the driver's node.
        driver_node_id: The id of the driver's node.
        driver_exit_code: The exit code of the driver; null until it has ended, and when the job was stopped.
    """

    type: JobType
    job_id: str | None = None
    submission_id: str | None = None
    driver_info: JobDriverInfo | None = None
    status: JobStatus
    entrypoint: str
    message: str | None = None
    error_type: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    metadata: dict[str, str] | None = None
    runtime_env: dict[str, Any] | None = None
    driver_agent_http_address: str | None = None
    driver_node_id: str | None = None
    driver_exit_code: int | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "type": "type",
        "job_id": "job_id",
        "submission_id": "submission_id",
        "driver_info": "driver_info",
        "status": "status",
        "entrypoint": "entrypoint",
        "message": "message",
        "error_type": "error_type",
        "start_time": "start_time",
        "end_time": "end_time",
        "metadata": "metadata",
        "runtime_env": "runtime_env",
        "driver_agent_http_address": "driver_agent_http_address",
        "driver_node_id": "driver_node_id",
        "driver_exit_code": "driver_exit_code",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "type": JobType,
        "driver_info": lambda value: as_model(value, JobDriverInfo),
        "status": JobStatus,
    }
