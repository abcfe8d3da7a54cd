"""What type checkers make of the models; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

import datetime
from typing import Any, assert_type

import attrs

from synapse_agent_api.types import Model, OpenStrEnum
from synapse_sdk.clients.agent.models import (
    Build,
    BuildStatus,
    ClusterNode,
    ClusterSnapshot,
    Container,
    ContainerKind,
    ContainerPage,
    GpuDevice,
    Job,
    JobDriverInfo,
    JobStatus,
    JobType,
    Node,
    NodeState,
    PluginRelease,
    ResourceUsage,
    RunAccepted,
    ServeApplication,
    ServeDeployment,
    ServeReplica,
    ServeReplicaState,
    SystemOperation,
    SystemStatus,
    Task,
    TaskState,
    TaskType,
)


def scalars(job: Job, task: Task, node: Node) -> None:
    assert_type(job.entrypoint, str)
    assert_type(job.submission_id, str | None)
    assert_type(job.start_time, int | None)
    assert_type(job.metadata, dict[str, str] | None)
    assert_type(job.runtime_env, dict[str, Any] | None)
    assert_type(task.attempt_number, int)
    assert_type(task.worker_pid, int | None)
    assert_type(task.required_resources, dict[str, float] | None)
    assert_type(node.is_head_node, bool)
    assert_type(node.cpu_percent, float | None)
    assert_type(node.labels, dict[str, str])


def enums(job: Job, task: Task, node: Node, container: Container, build: Build, system: SystemStatus) -> None:
    assert_type(job.status, JobStatus)
    assert_type(job.type, JobType)
    assert_type(task.state, TaskState)
    assert_type(task.type, TaskType)
    assert_type(node.state, NodeState)
    assert_type(container.kind, ContainerKind)
    assert_type(build.status, BuildStatus)
    assert_type(system.operation, SystemOperation | None)
    assert_type(JobStatus("ADDED_LATER"), JobStatus)
    assert_type(job.status == "RUNNING", bool)
    open_enum: OpenStrEnum = job.status
    text: str = open_enum
    assert_type(text.lower(), str)


def dates(snapshot: ClusterSnapshot) -> None:
    assert_type(snapshot.collected_at, datetime.datetime)


def models_in_models(
    job: Job,
    snapshot: ClusterSnapshot,
    page: ContainerPage,
    build: Build,
    application: ServeApplication,
    node: Node,
) -> None:
    assert_type(job.driver_info, JobDriverInfo | None)
    assert_type(snapshot.cpu, ResourceUsage)
    assert_type(snapshot.object_store, ResourceUsage | None)
    assert_type(snapshot.nodes, list[ClusterNode])
    assert_type(snapshot.nodes[0].gpus[0], GpuDevice)
    assert_type(node.gpus, list[GpuDevice] | None)
    assert_type(page.results, list[Container])
    assert_type(page.next, str | None)
    assert_type(build.result, Container | None)
    assert_type(application.deployments, dict[str, ServeDeployment])
    assert_type(application.deployments["a"].replicas, list[ServeReplica])
    assert_type(application.deployments["a"].replicas[0].state, ServeReplicaState | None)


def unions(release: PluginRelease, container: Container) -> None:
    assert_type(release.id, int | str)
    assert_type(container.backend_container_id, int | str | None)


def like_a_dict(job: Job) -> None:
    assert_type(job["status"], Any)
    assert_type(job.get("status"), Any)
    assert_type(job.get("status", "unknown"), Any)
    assert_type("status" in job, bool)
    assert_type(dict(job), dict[str, Any])
    assert_type(list(job), list[str])
    assert_type(len(job), int)
    assert_type(job.to_dict(), dict[str, Any])
    assert_type(Job.from_dict({"status": "RUNNING"}), Job)
    model: Model = job
    assert_type(model.to_dict(), dict[str, Any])


def constructors(driver: JobDriverInfo) -> None:
    assert_type(RunAccepted(job_id="j", status=JobStatus.PENDING), RunAccepted)
    assert_type(
        Job(type=JobType.SUBMISSION, status=JobStatus("NEW"), entrypoint="python a.py", driver_info=driver),
        Job,
    )
    assert_type(
        Container(id=7, status="running", kind=ContainerKind.CODE_SERVER, envs={"A": "b"}, params=None),
        Container,
    )
    assert_type(ContainerPage(count=0, next=None, previous=None, results=[]), ContainerPage)
    assert_type(ResourceUsage(total=1, used=0.5, available=0.5), ResourceUsage)


def with_attrs(accepted: RunAccepted) -> None:
    assert_type(attrs.evolve(accepted, job_id="k"), RunAccepted)
    assert_type(attrs.asdict(accepted), dict[str, Any])
    names: list[str] = [field.name for field in attrs.fields(RunAccepted)]
    assert_type(names[0], str)
    match accepted:
        case RunAccepted(job_id=job_id, status=JobStatus.PENDING):
            assert_type(job_id, str)
        case _:
            pass
