"""Every method of the API, sync and async."""

from __future__ import annotations

from .containers import AsyncContainersApi, ContainersApi
from .health import AsyncHealthApi, HealthApi
from .jobs import AsyncJobsApi, JobsApi
from .nodes import AsyncNodesApi, NodesApi
from .plugin_releases import AsyncPluginReleasesApi, PluginReleasesApi
from .resources import AsyncResourcesApi, ResourcesApi
from .serve import AsyncServeApi, ServeApi
from .system import AsyncSystemApi, SystemApi
from .tasks import AsyncTasksApi, TasksApi

__all__ = ["AgentApi", "AsyncAgentApi"]


class AgentApi(
    HealthApi,
    JobsApi,
    NodesApi,
    TasksApi,
    ServeApi,
    PluginReleasesApi,
    ContainersApi,
    ResourcesApi,
    SystemApi,
):
    """Every method of the API; a subclass sets `_transport`."""


class AsyncAgentApi(
    AsyncHealthApi,
    AsyncJobsApi,
    AsyncNodesApi,
    AsyncTasksApi,
    AsyncServeApi,
    AsyncPluginReleasesApi,
    AsyncContainersApi,
    AsyncResourcesApi,
    AsyncSystemApi,
):
    """Every method of the API; a subclass sets `_transport`."""
