"""Every method of the API, sync and async."""

from __future__ import annotations

from typing import Final

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
    """Every method of the API; a subclass sets `_api_client`.

    A method's docstring names the errors that are its own.

    Errors of every method:
        AuthenticationError: 401, the agent's token is missing, wrong or expired.
        AuthorizationError: 403, the token is good, but not for this.
        RateLimitError: 429, too many requests, or the policy allows no more workloads.
        ServerError: 500, something went wrong in the agent.
        ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing was
            done.
        ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.
    """


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
    """Every method of the API; a subclass sets `_api_client`.

    A method's docstring names the errors that are its own.

    Errors of every method:
        AuthenticationError: 401, the agent's token is missing, wrong or expired.
        AuthorizationError: 403, the token is good, but not for this.
        RateLimitError: 429, too many requests, or the policy allows no more workloads.
        ServerError: 500, something went wrong in the agent.
        ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing was
            done.
        ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.
    """


class RawAgentApi(RawMethods):
    """Every method of the API, answering a RawResponse: the status, the headers and the body beside the result."""

    __slots__ = ()

    health_check: Final = RawMethod(AgentApi.health_check)
    list_jobs: Final = RawMethod(AgentApi.list_jobs)
    get_job: Final = RawMethod(AgentApi.get_job)
    delete_job: Final = RawMethod(AgentApi.delete_job)
    get_job_logs: Final = RawMethod(AgentApi.get_job_logs)
    list_job_logs: Final = RawMethod(AgentApi.list_job_logs)
    stop_job: Final = RawMethod(AgentApi.stop_job)
    get_gpu_status: Final = RawMethod(AgentApi.get_gpu_status)
    list_nodes: Final = RawMethod(AgentApi.list_nodes)
    get_node: Final = RawMethod(AgentApi.get_node)
    list_tasks: Final = RawMethod(AgentApi.list_tasks)
    get_task: Final = RawMethod(AgentApi.get_task)
    list_serve_applications: Final = RawMethod(AgentApi.list_serve_applications)
    get_serve_application: Final = RawMethod(AgentApi.get_serve_application)
    delete_serve_application: Final = RawMethod(AgentApi.delete_serve_application)
    list_plugin_releases: Final = RawMethod(AgentApi.list_plugin_releases)
    create_plugin_release: Final = RawMethod(AgentApi.create_plugin_release)
    get_plugin_release: Final = RawMethod(AgentApi.get_plugin_release)
    delete_plugin_release: Final = RawMethod(AgentApi.delete_plugin_release)
    run_plugin_release: Final = RawMethod(AgentApi.run_plugin_release)
    run_debug_plugin_release: Final = RawMethod(AgentApi.run_debug_plugin_release)
    list_containers: Final = RawMethod(AgentApi.list_containers)
    create_container: Final = RawMethod(AgentApi.create_container)
    get_container: Final = RawMethod(AgentApi.get_container)
    delete_container: Final = RawMethod(AgentApi.delete_container)
    update_container: Final = RawMethod(AgentApi.update_container)
    list_docker_containers: Final = RawMethod(AgentApi.list_docker_containers)
    create_docker_container: Final = RawMethod(AgentApi.create_docker_container)
    get_docker_container: Final = RawMethod(AgentApi.get_docker_container)
    delete_docker_container: Final = RawMethod(AgentApi.delete_docker_container)
    stop_docker_container: Final = RawMethod(AgentApi.stop_docker_container)
    start_docker_container: Final = RawMethod(AgentApi.start_docker_container)
    get_build_status: Final = RawMethod(AgentApi.get_build_status)
    get_cluster_resources: Final = RawMethod(AgentApi.get_cluster_resources)
    check_feasibility: Final = RawMethod(AgentApi.check_feasibility)
    get_runtime_policy: Final = RawMethod(AgentApi.get_runtime_policy)
    get_gatekeeping_policy: Final = RawMethod(AgentApi.get_gatekeeping_policy)
    update_runtime_policy: Final = RawMethod(AgentApi.update_runtime_policy)
    update_gatekeeping_policy: Final = RawMethod(AgentApi.update_gatekeeping_policy)
    get_compose_config: Final = RawMethod(AgentApi.get_compose_config)
    get_system_status: Final = RawMethod(AgentApi.get_system_status)
    update_system: Final = RawMethod(AgentApi.update_system)
    restart_system: Final = RawMethod(AgentApi.restart_system)


class AsyncRawAgentApi(RawMethods):
    """Every method of the API, answering a RawResponse: the status, the headers and the body beside the result."""

    __slots__ = ()

    health_check: Final = AsyncRawMethod(AsyncAgentApi.health_check)
    list_jobs: Final = AsyncRawMethod(AsyncAgentApi.list_jobs)
    get_job: Final = AsyncRawMethod(AsyncAgentApi.get_job)
    delete_job: Final = AsyncRawMethod(AsyncAgentApi.delete_job)
    get_job_logs: Final = AsyncRawMethod(AsyncAgentApi.get_job_logs)
    list_job_logs: Final = AsyncRawMethod(AsyncAgentApi.list_job_logs)
    stop_job: Final = AsyncRawMethod(AsyncAgentApi.stop_job)
    get_gpu_status: Final = AsyncRawMethod(AsyncAgentApi.get_gpu_status)
    list_nodes: Final = AsyncRawMethod(AsyncAgentApi.list_nodes)
    get_node: Final = AsyncRawMethod(AsyncAgentApi.get_node)
    list_tasks: Final = AsyncRawMethod(AsyncAgentApi.list_tasks)
    get_task: Final = AsyncRawMethod(AsyncAgentApi.get_task)
    list_serve_applications: Final = AsyncRawMethod(AsyncAgentApi.list_serve_applications)
    get_serve_application: Final = AsyncRawMethod(AsyncAgentApi.get_serve_application)
    delete_serve_application: Final = AsyncRawMethod(AsyncAgentApi.delete_serve_application)
    list_plugin_releases: Final = AsyncRawMethod(AsyncAgentApi.list_plugin_releases)
    create_plugin_release: Final = AsyncRawMethod(AsyncAgentApi.create_plugin_release)
    get_plugin_release: Final = AsyncRawMethod(AsyncAgentApi.get_plugin_release)
    delete_plugin_release: Final = AsyncRawMethod(AsyncAgentApi.delete_plugin_release)
    run_plugin_release: Final = AsyncRawMethod(AsyncAgentApi.run_plugin_release)
    run_debug_plugin_release: Final = AsyncRawMethod(AsyncAgentApi.run_debug_plugin_release)
    list_containers: Final = AsyncRawMethod(AsyncAgentApi.list_containers)
    create_container: Final = AsyncRawMethod(AsyncAgentApi.create_container)
    get_container: Final = AsyncRawMethod(AsyncAgentApi.get_container)
    delete_container: Final = AsyncRawMethod(AsyncAgentApi.delete_container)
    update_container: Final = AsyncRawMethod(AsyncAgentApi.update_container)
    list_docker_containers: Final = AsyncRawMethod(AsyncAgentApi.list_docker_containers)
    create_docker_container: Final = AsyncRawMethod(AsyncAgentApi.create_docker_container)
    get_docker_container: Final = AsyncRawMethod(AsyncAgentApi.get_docker_container)
    delete_docker_container: Final = AsyncRawMethod(AsyncAgentApi.delete_docker_container)
    stop_docker_container: Final = AsyncRawMethod(AsyncAgentApi.stop_docker_container)
    start_docker_container: Final = AsyncRawMethod(AsyncAgentApi.start_docker_container)
    get_build_status: Final = AsyncRawMethod(AsyncAgentApi.get_build_status)
    get_cluster_resources: Final = AsyncRawMethod(AsyncAgentApi.get_cluster_resources)
    check_feasibility: Final = AsyncRawMethod(AsyncAgentApi.check_feasibility)
    get_runtime_policy: Final = AsyncRawMethod(AsyncAgentApi.get_runtime_policy)
    get_gatekeeping_policy: Final = AsyncRawMethod(AsyncAgentApi.get_gatekeeping_policy)
    update_runtime_policy: Final = AsyncRawMethod(AsyncAgentApi.update_runtime_policy)
    update_gatekeeping_policy: Final = AsyncRawMethod(AsyncAgentApi.update_gatekeeping_policy)
    get_compose_config: Final = AsyncRawMethod(AsyncAgentApi.get_compose_config)
    get_system_status: Final = AsyncRawMethod(AsyncAgentApi.get_system_status)
    update_system: Final = AsyncRawMethod(AsyncAgentApi.update_system)
    restart_system: Final = AsyncRawMethod(AsyncAgentApi.restart_system)
