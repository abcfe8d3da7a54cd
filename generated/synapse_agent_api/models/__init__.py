"""Every model and enum of the API."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .build import Build
    from .build_accepted import BuildAccepted
    from .build_status import BuildStatus
    from .cluster_node import ClusterNode
    from .cluster_snapshot import ClusterSnapshot
    from .compose_config import ComposeConfig
    from .container import Container
    from .container_kind import ContainerKind
    from .container_page import ContainerPage
    from .feasibility import Feasibility
    from .gpu_device import GpuDevice
    from .gpu_status import GpuStatus
    from .gpu_summary import GpuSummary
    from .health import Health
    from .job import Job
    from .job_driver_info import JobDriverInfo
    from .job_status import JobStatus
    from .job_stop_result import JobStopResult
    from .job_type import JobType
    from .node import Node
    from .node_counts import NodeCounts
    from .node_state import NodeState
    from .plugin_release import PluginRelease
    from .plugin_release_page import PluginReleasePage
    from .resource_usage import ResourceUsage
    from .run_accepted import RunAccepted
    from .runtime_policy import RuntimePolicy
    from .serve_application import ServeApplication
    from .serve_application_status import ServeApplicationStatus
    from .serve_deployment import ServeDeployment
    from .serve_deployment_status import ServeDeploymentStatus
    from .serve_replica import ServeReplica
    from .serve_replica_state import ServeReplicaState
    from .system_operation import SystemOperation
    from .system_operation_result import SystemOperationResult
    from .system_operation_status import SystemOperationStatus
    from .system_status import SystemStatus
    from .task import Task
    from .task_state import TaskState
    from .task_type import TaskType
    from .workload_kind import WorkloadKind

__all__ = [
    "Build",
    "BuildAccepted",
    "BuildStatus",
    "ClusterNode",
    "ClusterSnapshot",
    "ComposeConfig",
    "Container",
    "ContainerKind",
    "ContainerPage",
    "Feasibility",
    "GpuDevice",
    "GpuStatus",
    "GpuSummary",
    "Health",
    "Job",
    "JobDriverInfo",
    "JobStatus",
    "JobStopResult",
    "JobType",
    "Node",
    "NodeCounts",
    "NodeState",
    "PluginRelease",
    "PluginReleasePage",
    "ResourceUsage",
    "RunAccepted",
    "RuntimePolicy",
    "ServeApplication",
    "ServeApplicationStatus",
    "ServeDeployment",
    "ServeDeploymentStatus",
    "ServeReplica",
    "ServeReplicaState",
    "SystemOperation",
    "SystemOperationResult",
    "SystemOperationStatus",
    "SystemStatus",
    "Task",
    "TaskState",
    "TaskType",
    "WorkloadKind",
]

_MODULES: dict[str, str] = {
    "Build": ".build",
    "BuildAccepted": ".build_accepted",
    "BuildStatus": ".build_status",
    "ClusterNode": ".cluster_node",
    "ClusterSnapshot": ".cluster_snapshot",
    "ComposeConfig": ".compose_config",
    "Container": ".container",
    "ContainerKind": ".container_kind",
    "ContainerPage": ".container_page",
    "Feasibility": ".feasibility",
    "GpuDevice": ".gpu_device",
    "GpuStatus": ".gpu_status",
    "GpuSummary": ".gpu_summary",
    "Health": ".health",
    "Job": ".job",
    "JobDriverInfo": ".job_driver_info",
    "JobStatus": ".job_status",
    "JobStopResult": ".job_stop_result",
    "JobType": ".job_type",
    "Node": ".node",
    "NodeCounts": ".node_counts",
    "NodeState": ".node_state",
    "PluginRelease": ".plugin_release",
    "PluginReleasePage": ".plugin_release_page",
    "ResourceUsage": ".resource_usage",
    "RunAccepted": ".run_accepted",
    "RuntimePolicy": ".runtime_policy",
    "ServeApplication": ".serve_application",
    "ServeApplicationStatus": ".serve_application_status",
    "ServeDeployment": ".serve_deployment",
    "ServeDeploymentStatus": ".serve_deployment_status",
    "ServeReplica": ".serve_replica",
    "ServeReplicaState": ".serve_replica_state",
    "SystemOperation": ".system_operation",
    "SystemOperationResult": ".system_operation_result",
    "SystemOperationStatus": ".system_operation_status",
    "SystemStatus": ".system_status",
    "Task": ".task",
    "TaskState": ".task_state",
    "TaskType": ".task_type",
    "WorkloadKind": ".workload_kind",
}


def __getattr__(name: str) -> object:
    try:
        module = _MODULES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value: object = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
