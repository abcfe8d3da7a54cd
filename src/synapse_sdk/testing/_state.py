"""Everything that the fake agent knows."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from synapse_agent_api.models import JobStatus, RuntimePolicy

from ._changes import Changes
from ._faults import Faults
from ._job_record import JobRecord
from ._recorded import RecordedRequest
from ._reply import ApiError
from ._shape import shape

__all__ = ["BuildRecord", "JobScript", "State", "default_policy", "found", "now"]

Json = dict[str, Any]


@dataclass
class JobScript:
    """What the job of a run does: a function, or lines and a status; on hold it is left to the test."""

    function: Callable[[JobRecord], object] | None = None
    lines: tuple[str, ...] = ()
    status: str = "SUCCEEDED"
    hold: bool = False


@dataclass
class BuildRecord:
    """The build of a container, which is there once it is completed."""

    id: str
    container: Json
    status: str = "running"
    error: str | None = None


@dataclass
class State:
    """The state. Hold `changes` to read or change it."""

    token: str
    websockets: bool = True
    offsets: bool = True
    windows: bool = True
    heartbeat: float = 0.1
    changes: Changes = field(default_factory=Changes)
    faults: Faults = field(default_factory=Faults)
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])
    health: Json = field(default_factory=dict[str, Any])
    jobs: dict[str, JobRecord] = field(default_factory=dict[str, JobRecord])
    scripts: dict[str | None, JobScript] = field(default_factory=dict[str | None, JobScript])
    calls: dict[str, Callable[[Json], object]] = field(default_factory=dict[str, Callable[[Json], object]])
    nodes: dict[str, Json] = field(default_factory=dict[str, Json])
    gpus: list[Json] | None = None
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])
    applications: dict[str, Json] = field(default_factory=dict[str, Json])
    releases: dict[int, Json] = field(default_factory=dict[int, Json])
    containers: dict[int, Json] = field(default_factory=dict[int, Json])
    builds: dict[str, BuildRecord] = field(default_factory=dict[str, BuildRecord])
    hold_builds: bool = False
    policy: Json = field(default_factory=lambda: default_policy())
    compose: Json = field(default_factory=dict[str, Any])
    snapshot: str | None = None
    hold_system: bool = False
    system_status: Json = field(default_factory=lambda: {"in_progress": False})
    start_script: Callable[[JobRecord, JobScript], None] | None = None
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """Return a number that nothing else has."""
        return next(self._numbers)

    def add_job(
        self,
        job_id: str,
        statuses: Iterable[str],
        *,
        entrypoint: str = "python -m plugin",
        action: str | None = None,
        request: Mapping[str, Any] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> JobRecord:
        """Make a job.

        Raises:
            ApiError: 409, there is one with this id.
        """
        if job_id in self.jobs:
            raise ApiError(409, f"there is a job {job_id} already")
        job = JobRecord(
            self.changes,
            job_id,
            statuses,
            number=self.number(),
            entrypoint=entrypoint,
            action=action,
            request=request,
            extra=extra,
        )
        self.jobs[job_id] = job
        return job

    def job(self, job_id: str) -> JobRecord:
        """Find a job.

        Raises:
            ApiError: 404.
        """
        if job_id not in self.jobs:
            raise ApiError(404, f"there is no job {job_id}")
        return self.jobs[job_id]

    def run(self, action: str, request: Mapping[str, Any], code: str) -> JobRecord:
        """Make the job of a run, as the policy lets it in, and let its script begin.

        Raises:
            ApiError: 409 or 429.
        """
        self._admit()
        job_id = request.get("job_id") or f"run-{secrets.token_hex(8)}"
        job = self.add_job(
            job_id, ["PENDING"], entrypoint=f"python -m {code or action}", action=action, request=request
        )
        default = JobScript(lines=(f"{action}: started", f"{action}: done"))
        script = self.scripts.get(action) or self.scripts.get(None) or default
        if script.function is not None:
            assert self.start_script is not None
            self.start_script(job, script)
        elif not script.hold:
            job.write("".join(f"{line}\n" for line in script.lines).encode())
            if JobStatus(script.status) is not JobStatus.PENDING:
                job.set_status(JobStatus(script.status))
        return job

    def _admit(self) -> None:
        """429 while as many jobs are under way as the policy allows."""
        if not self.policy["gatekeeping_enabled"]:
            return
        active = sum(not job.over for job in self.jobs.values())
        for name in ("max_concurrent_jobs", "max_concurrent_ray_jobs"):
            if 0 < self.policy[name] <= active:
                words = f"{active} jobs are under way, and the policy's {name} is {self.policy[name]}"
                raise ApiError(429, words, headers={"retry-after": "5"})

    def complete(self, build: BuildRecord) -> Json:
        """Complete a build: its container is there then."""
        number = self.number()
        port = 9000 + number % 1000
        container = build.container | {
            "id": number,
            "container_id": secrets.token_hex(6),
            "status": "running",
            "endpoint": f"http://127.0.0.1:{port}/",
        }
        self.containers[number] = container
        build.status, build.container = "completed", container
        return container


def found(things: Mapping[Any, Any], key: object, kind: str) -> Any:
    """Look something up.

    Raises:
        ApiError: 404.
    """
    if key not in things:
        raise ApiError(404, f"there is no {kind} {key}")
    return things[key]


def default_policy() -> Json:
    """Return the default policy of an agent."""
    return shape(
        RuntimePolicy,
        {
            "max_concurrent_jobs": 3,
            "max_concurrent_serve_replicas": 16,
            "gatekeeping_enabled": True,
            "cpu_max_utilization_percent": 90.0,
            "memory_max_utilization_percent": 90.0,
            "gpu_max_utilization_percent": 90.0,
            "gpu_max_memory_percent": 90.0,
            "max_concurrent_ray_jobs": 0,
            "resource_cache_ttl_seconds": 5.0,
        },
    )


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
