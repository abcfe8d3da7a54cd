"""Every method of the API, sync and async."""

from __future__ import annotations

from ..client import AsyncRawMethod, RawMethod, RawMethods
from .containers import AsyncContainersApi, ContainersApi
from .health import AsyncHealthApi, HealthApi
from .jobs import AsyncJobsApi, JobsApi
from .nodes import AsyncNodesApi, NodesApi
from .plugin_releases import AsyncPluginReleasesApi, PluginReleasesApi
from .resources import AsyncResourcesApi, ResourcesApi
from .serve import AsyncServeApi, ServeApi
from .system import AsyncSystemApi, SystemApi
from .tasks import AsyncTasksApi, TasksApi

__all__ = ["AgentApi", "AsyncAgentApi", "AsyncRawAgentApi", "RawAgentApi"]


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


class RawAgentApi(RawMethods):
    """Every method of the API, answering a RawResponse: the status, the headers and the body beside the result."""

    __slots__ = ()

    health_check = RawMethod(AgentApi.health_check)
    list_jobs = RawMethod(AgentApi.list_jobs)
    get_job = RawMethod(AgentApi.get_job)
    get_job_logs = RawMethod(AgentApi.get_job_logs)
    list_job_logs = RawMethod(AgentApi.list_job_logs)
    stop_job = RawMethod(AgentApi.stop_job)
    get_gpu_status = RawMethod(AgentApi.get_gpu_status)
    list_nodes = RawMethod(AgentApi.list_nodes)
    get_node = RawMethod(AgentApi.get_node)
    list_tasks = RawMethod(AgentApi.list_tasks)
    get_task = RawMethod(AgentApi.get_task)
    list_serve_applications = RawMethod(AgentApi.list_serve_applications)
    get_serve_application = RawMethod(AgentApi.get_serve_application)
    delete_serve_application = RawMethod(AgentApi.delete_serve_application)
    list_plugin_releases = RawMethod(AgentApi.list_plugin_releases)
    create_plugin_release = RawMethod(AgentApi.create_plugin_release)
    get_plugin_release = RawMethod(AgentApi.get_plugin_release)
    delete_plugin_release = RawMethod(AgentApi.delete_plugin_release)
    run_plugin_release = RawMethod(AgentApi.run_plugin_release)
    run_debug_plugin_release = RawMethod(AgentApi.run_debug_plugin_release)
    list_containers = RawMethod(AgentApi.list_containers)
    create_container = RawMethod(AgentApi.create_container)
    get_container = RawMethod(AgentApi.get_container)
    delete_container = RawMethod(AgentApi.delete_container)
    update_container = RawMethod(AgentApi.update_container)
    list_docker_containers = RawMethod(AgentApi.list_docker_containers)
    create_docker_container = RawMethod(AgentApi.create_docker_container)
    get_docker_container = RawMethod(AgentApi.get_docker_container)
    delete_docker_container = RawMethod(AgentApi.delete_docker_container)
    stop_docker_container = RawMethod(AgentApi.stop_docker_container)
    start_docker_container = RawMethod(AgentApi.start_docker_container)
    get_build_status = RawMethod(AgentApi.get_build_status)
    get_cluster_resources = RawMethod(AgentApi.get_cluster_resources)
    check_feasibility = RawMethod(AgentApi.check_feasibility)
    get_runtime_policy = RawMethod(AgentApi.get_runtime_policy)
    get_gatekeeping_policy = RawMethod(AgentApi.get_gatekeeping_policy)
    update_runtime_policy = RawMethod(AgentApi.update_runtime_policy)
    update_gatekeeping_policy = RawMethod(AgentApi.update_gatekeeping_policy)
    get_compose_config = RawMethod(AgentApi.get_compose_config)
    get_system_status = RawMethod(AgentApi.get_system_status)
    update_system = RawMethod(AgentApi.update_system)
    restart_system = RawMethod(AgentApi.restart_system)


class AsyncRawAgentApi(RawMethods):
    """Every method of the API, answering a RawResponse: the status, the headers and the body beside the result."""

    __slots__ = ()

    health_check = AsyncRawMethod(AsyncAgentApi.health_check)
    list_jobs = AsyncRawMethod(AsyncAgentApi.list_jobs)
    get_job = AsyncRawMethod(AsyncAgentApi.get_job)
    get_job_logs = AsyncRawMethod(AsyncAgentApi.get_job_logs)
    list_job_logs = AsyncRawMethod(AsyncAgentApi.list_job_logs)
    stop_job = AsyncRawMethod(AsyncAgentApi.stop_job)
    get_gpu_status = AsyncRawMethod(AsyncAgentApi.get_gpu_status)
    list_nodes = AsyncRawMethod(AsyncAgentApi.list_nodes)
    get_node = AsyncRawMethod(AsyncAgentApi.get_node)
    list_tasks = AsyncRawMethod(AsyncAgentApi.list_tasks)
    get_task = AsyncRawMethod(AsyncAgentApi.get_task)
    list_serve_applications = AsyncRawMethod(AsyncAgentApi.list_serve_applications)
    get_serve_application = AsyncRawMethod(AsyncAgentApi.get_serve_application)
    delete_serve_application = AsyncRawMethod(AsyncAgentApi.delete_serve_application)
    list_plugin_releases = AsyncRawMethod(AsyncAgentApi.list_plugin_releases)
    create_plugin_release = AsyncRawMethod(AsyncAgentApi.create_plugin_release)
    get_plugin_release = AsyncRawMethod(AsyncAgentApi.get_plugin_release)
    delete_plugin_release = AsyncRawMethod(AsyncAgentApi.delete_plugin_release)
    run_plugin_release = AsyncRawMethod(AsyncAgentApi.run_plugin_release)
    run_debug_plugin_release = AsyncRawMethod(AsyncAgentApi.run_debug_plugin_release)
    list_containers = AsyncRawMethod(AsyncAgentApi.list_containers)
    create_container = AsyncRawMethod(AsyncAgentApi.create_container)
    get_container = AsyncRawMethod(AsyncAgentApi.get_container)
    delete_container = AsyncRawMethod(AsyncAgentApi.delete_container)
    update_container = AsyncRawMethod(AsyncAgentApi.update_container)
    list_docker_containers = AsyncRawMethod(AsyncAgentApi.list_docker_containers)
    create_docker_container = AsyncRawMethod(AsyncAgentApi.create_docker_container)
    get_docker_container = AsyncRawMethod(AsyncAgentApi.get_docker_container)
    delete_docker_container = AsyncRawMethod(AsyncAgentApi.delete_docker_container)
    stop_docker_container = AsyncRawMethod(AsyncAgentApi.stop_docker_container)
    start_docker_container = AsyncRawMethod(AsyncAgentApi.start_docker_container)
    get_build_status = AsyncRawMethod(AsyncAgentApi.get_build_status)
    get_cluster_resources = AsyncRawMethod(AsyncAgentApi.get_cluster_resources)
    check_feasibility = AsyncRawMethod(AsyncAgentApi.check_feasibility)
    get_runtime_policy = AsyncRawMethod(AsyncAgentApi.get_runtime_policy)
    get_gatekeeping_policy = AsyncRawMethod(AsyncAgentApi.get_gatekeeping_policy)
    update_runtime_policy = AsyncRawMethod(AsyncAgentApi.update_runtime_policy)
    update_gatekeeping_policy = AsyncRawMethod(AsyncAgentApi.update_gatekeeping_policy)
    get_compose_config = AsyncRawMethod(AsyncAgentApi.get_compose_config)
    get_system_status = AsyncRawMethod(AsyncAgentApi.get_system_status)
    update_system = AsyncRawMethod(AsyncAgentApi.update_system)
    restart_system = AsyncRawMethod(AsyncAgentApi.restart_system)
