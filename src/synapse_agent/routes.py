"""Every operation of the agent, in one table."""

from __future__ import annotations

from .cluster.applications import (
    delete_serve_application,
    get_serve_application,
    list_serve_applications,
)
from .cluster.nodes import get_gpu_status, get_node, list_nodes
from .cluster.resources import check_feasibility, get_cluster_resources
from .cluster.tasks import get_task, list_tasks
from .containers.handlers import (
    create_container,
    create_docker_container,
    delete_container,
    delete_docker_container,
    get_build_status,
    get_container,
    get_docker_container,
    list_containers,
    list_docker_containers,
    start_docker_container,
    stop_docker_container,
    update_container,
)
from .http.document import get_document, get_document_page
from .http.not_supported import not_supported
from .http.route import Role, Route
from .logs.handlers import get_job_logs, stream_job_logs
from .ops.health import health_check
from .ops.metrics import get_metrics
from .ops.probes import livez, readyz
from .plugins.handlers import (
    create_plugin_release,
    delete_plugin_release,
    get_plugin_release,
    list_plugin_releases,
)
from .runs.debug import run_debug_plugin_release
from .runs.jobs import delete_job, get_job, list_jobs, stop_job
from .runs.policy import get_runtime_policy, update_runtime_policy
from .runs.releases import run_plugin_release

__all__ = ["DOCUMENT_ROUTES", "METRICS_ROUTE", "PROBE_ROUTES", "ROUTES", "STREAM_ROUTES", "Route"]

_RUN, _ADMIN = Role.RUN, Role.ADMIN

# Bytes of a body with the sources of modules, or with parameters.
_LARGE = 32 << 20


# Sorted so that a fixed path comes before the one with a parameter that would match it too.
ROUTES = (
    Route("GET", "/health/", "health_check", health_check),
    Route("GET", "/jobs/", "list_jobs", list_jobs),
    Route("GET", "/jobs/{job_id}/", "get_job", get_job),
    Route("DELETE", "/jobs/{job_id}/", "delete_job", delete_job, _RUN),
    Route("GET", "/jobs/{job_id}/logs/", "get_job_logs", get_job_logs),
    Route("POST", "/jobs/{job_id}/stop/", "stop_job", stop_job, _RUN),
    Route("GET", "/gpu_status/", "get_gpu_status", get_gpu_status),
    Route("GET", "/nodes/", "list_nodes", list_nodes),
    Route("GET", "/nodes/{node_id}/", "get_node", get_node),
    Route("GET", "/tasks/", "list_tasks", list_tasks),
    Route("GET", "/tasks/{task_id}/", "get_task", get_task),
    Route("GET", "/serve_applications/", "list_serve_applications", list_serve_applications),
    Route("GET", "/serve_applications/{name}/", "get_serve_application", get_serve_application),
    Route(
        "DELETE", "/serve_applications/{name}/", "delete_serve_application", delete_serve_application, _RUN
    ),
    Route(
        "POST",
        "/plugin_releases/run_debug/",
        "run_debug_plugin_release",
        run_debug_plugin_release,
        _RUN,
        max_body=_LARGE,
    ),
    Route("GET", "/plugin_releases/", "list_plugin_releases", list_plugin_releases),
    Route("POST", "/plugin_releases/", "create_plugin_release", create_plugin_release, _ADMIN),
    Route("GET", "/plugin_releases/{lookup}", "get_plugin_release", get_plugin_release),
    Route("DELETE", "/plugin_releases/{lookup}", "delete_plugin_release", delete_plugin_release, _ADMIN),
    Route(
        "POST",
        "/plugin_releases/{lookup}/run/",
        "run_plugin_release",
        run_plugin_release,
        _RUN,
        max_body=_LARGE,
    ),
    Route("GET", "/containers/docker/", "list_docker_containers", list_docker_containers),
    Route("POST", "/containers/docker/", "create_docker_container", create_docker_container, _RUN),
    Route("GET", "/containers/docker/{container_id}", "get_docker_container", get_docker_container),
    Route(
        "DELETE",
        "/containers/docker/{container_id}",
        "delete_docker_container",
        delete_docker_container,
        _RUN,
    ),
    Route(
        "POST",
        "/containers/docker/{container_id}/stop/",
        "stop_docker_container",
        stop_docker_container,
        _RUN,
    ),
    Route(
        "POST",
        "/containers/docker/{container_id}/start/",
        "start_docker_container",
        start_docker_container,
        _RUN,
    ),
    Route("GET", "/containers/", "list_containers", list_containers),
    Route("POST", "/containers/", "create_container", create_container, _RUN),
    Route("GET", "/containers/{container_id}", "get_container", get_container),
    Route("PATCH", "/containers/{container_id}", "update_container", update_container, _RUN),
    Route("DELETE", "/containers/{container_id}", "delete_container", delete_container, _RUN),
    Route("GET", "/builds/{build_id}/", "get_build_status", get_build_status),
    Route("GET", "/resources/cluster/", "get_cluster_resources", get_cluster_resources),
    Route("POST", "/resources/feasibility/", "check_feasibility", check_feasibility),
    Route("GET", "/resources/policy/", "get_runtime_policy", get_runtime_policy),
    Route("PATCH", "/resources/policy/", "update_runtime_policy", update_runtime_policy, _ADMIN),
    Route("GET", "/system/compose-config/", "get_compose_config", not_supported, _ADMIN),
    Route("GET", "/system/status/", "get_system_status", not_supported),
    Route("POST", "/system/update/", "update_system", not_supported, _ADMIN),
    Route("POST", "/system/restart/", "restart_system", not_supported, _ADMIN),
)

# Not in the specification: OpenAPI can't describe streams. The WebSocket shares get_job_logs' path.
STREAM_ROUTES = (Route("GET", "/jobs/{job_id}/logs/stream/", "stream_job_logs", stream_job_logs),)

# The API's description. The page is public, because a browser has no token to send.
DOCUMENT_ROUTES = (
    Route("GET", "/openapi.json", "get_document", get_document),
    Route("GET", "/docs/", "get_document_page", get_document_page, public=True),
)

# For Prometheus, which sends a token as Bearer.
METRICS_ROUTE = Route("GET", "/metrics", "get_metrics", get_metrics)

# For an orchestrator, which has no token.
PROBE_ROUTES = (
    Route("GET", "/livez", "livez", livez, public=True),
    Route("GET", "/readyz", "readyz", readyz, public=True),
)
