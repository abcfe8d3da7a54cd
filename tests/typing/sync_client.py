"""What type checkers make of `AgentClient`; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

import httpx
import httpx2

from synapse_agent_api.client import RawResponse
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.agent.models import (
    Build,
    BuildAccepted,
    ClusterSnapshot,
    ComposeConfig,
    Container,
    ContainerKind,
    ContainerPage,
    Feasibility,
    GpuStatus,
    Health,
    Job,
    JobStatus,
    JobStopResult,
    Node,
    PluginRelease,
    PluginReleasePage,
    RunAccepted,
    RuntimePolicy,
    ServeApplication,
    SystemOperationResult,
    SystemStatus,
    Task,
    WorkloadKind,
)
from synapse_sdk.long_poll import LongPollHandler
from synapse_sdk.utils.network import StreamLimits


def token() -> str:
    return "t"


def constructor(
    http: httpx.Client, http2: httpx2.Client, handler: LongPollHandler, context: ssl.SSLContext
) -> None:
    assert_type(AgentClient("http://a", "t"), AgentClient)
    assert_type(AgentClient("http://a", token, user_token=token, tenant="x"), AgentClient)
    assert_type(AgentClient(None, "t", long_poll_handler=handler), AgentClient)
    assert_type(AgentClient("http://a", "t", timeout=3), AgentClient)
    assert_type(AgentClient("http://a", "t", timeout={"connect": 3, "read": 10.5}), AgentClient)
    assert_type(
        AgentClient("http://a", "t", timeout=httpx.Timeout(3), max_retries=0, headers={"X-A": "b"}),
        AgentClient,
    )
    assert_type(
        AgentClient("http://a", "t", stream_limits=StreamLimits(), verify=False, proxy="http://p"),
        AgentClient,
    )
    assert_type(AgentClient("http://a", "t", verify=context), AgentClient)
    assert_type(AgentClient("http://a", "t", http_client=http), AgentClient)
    assert_type(AgentClient("http://a", "t", http_client=http2, timeout=httpx2.Timeout(3)), AgentClient)
    assert_type(AgentClient.from_env(timeout=3, max_retries=1), AgentClient)


def operations(client: AgentClient) -> None:
    assert_type(client.health_check(), Health)
    assert_type(client.list_jobs(), list[Job])
    assert_type(client.list_jobs(status="FAILED", metadata=["team=vision"], limit=5, cursor="x"), list[Job])
    assert_type(client.get_job("j"), Job)
    assert_type(client.get_job_logs("j"), str)
    assert_type(client.get_job_logs("j", tail=5, offset=8, limit_bytes=100), str)
    assert_type(client.list_job_logs("j"), str)
    assert_type(client.stop_job("j"), JobStopResult)
    assert_type(client.delete_job("j"), None)
    assert_type(client.get_gpu_status(), GpuStatus)
    assert_type(client.list_nodes(), list[Node])
    assert_type(client.get_node("n"), Node)
    assert_type(client.list_tasks(), list[Task])
    assert_type(client.list_tasks(job_id="j", state="RUNNING", limit=5), list[Task])
    assert_type(client.get_task("t"), Task)
    assert_type(client.list_serve_applications(), list[ServeApplication])
    assert_type(client.get_serve_application("s"), ServeApplication)
    client.delete_serve_application("s")
    assert_type(client.list_plugin_releases(2, page_size=10), PluginReleasePage)
    assert_type(client.get_plugin_release("a@1"), PluginRelease)
    assert_type(client.create_plugin_release("a", "1"), PluginRelease)
    client.delete_plugin_release("a@1")
    assert_type(
        client.run_plugin_release("a@1", "train", {"epochs": 3}, requirements=["numpy"]), RunAccepted | Any
    )
    assert_type(client.run_debug_plugin_release("train", modules={"a": "x = 1"}), RunAccepted | Any)
    assert_type(client.list_containers(page=2), ContainerPage)
    assert_type(client.get_container(7), Container)
    assert_type(client.update_container("7", "running"), Container)
    client.delete_container(7)
    assert_type(client.list_docker_containers(), list[Container])
    assert_type(client.get_docker_container("c"), Container)
    client.delete_docker_container("c")
    assert_type(client.start_docker_container("c"), Container)
    assert_type(client.stop_docker_container("c"), Container)
    assert_type(client.get_build_status("b"), Build)
    assert_type(client.get_cluster_resources(use_cache=False), ClusterSnapshot)
    assert_type(client.check_feasibility(WorkloadKind.JOB, num_gpus=2), Feasibility)
    assert_type(client.check_feasibility("job"), Feasibility)
    assert_type(client.get_runtime_policy(), RuntimePolicy)
    assert_type(client.get_gatekeeping_policy(), RuntimePolicy)
    assert_type(client.update_runtime_policy(max_concurrent_jobs=5), RuntimePolicy)
    assert_type(client.update_gatekeeping_policy(gatekeeping_enabled=False), RuntimePolicy)
    assert_type(client.get_compose_config(), ComposeConfig)
    assert_type(client.get_system_status(), SystemStatus)
    assert_type(client.request("GET", "x", params={"a": 1}), Any)


def waits(client: AgentClient, wait: bool) -> None:
    assert_type(client.create_container(plugin_release="a@1"), BuildAccepted)
    assert_type(client.create_container(plugin_release="a@1", wait=False), BuildAccepted)
    assert_type(client.create_container(file=b"PK", wait=True, timeout=None), Container)
    assert_type(
        client.create_container(file=Path("a.zip"), kind=ContainerKind.CODE_SERVER, wait=wait),
        BuildAccepted | Container,
    )
    assert_type(client.create_docker_container("a@1", {"x": 1}), BuildAccepted)
    assert_type(client.create_docker_container("a@1", wait=True, poll_interval=1), Container)
    assert_type(client.create_docker_container("a@1", wait=wait), BuildAccepted | Container)
    assert_type(client.update_system(api_tag="1"), SystemOperationResult)
    assert_type(client.update_system(api_tag="1", wait=True), SystemStatus)
    assert_type(client.update_system(wait=wait), SystemOperationResult | SystemStatus)
    assert_type(client.restart_system(), SystemOperationResult)
    assert_type(client.restart_system(wait=True), SystemStatus)
    assert_type(client.restart_system(wait=wait), SystemOperationResult | SystemStatus)
    assert_type(client.wait_for_job("j", timeout=60, poll_interval=1), Job)
    assert_type(client.wait_for_build("b", timeout=None), Build)
    assert_type(client.wait_for_system_ready(), SystemStatus)


def pages(client: AgentClient) -> None:
    assert_type(client.iter_plugin_releases(page_size=10), Iterator[PluginRelease])
    assert_type(client.iter_containers(), Iterator[Container])
    assert_type(client.iter_jobs(status=JobStatus.FAILED, metadata=["team"]), Iterator[Job])
    for release in client.iter_plugin_releases():
        assert_type(release, PluginRelease)
    assert_type(client.list_containers().results, list[Container])


def client_itself(client: AgentClient) -> None:
    with client as entered:
        assert_type(entered, AgentClient)
    assert_type(client.with_options(timeout=3, max_retries=0, headers={"X-A": "b"}), AgentClient)
    assert_type(client.stream_limits, StreamLimits)
    client.stream_limits = StreamLimits.unlimited()
    client.close()


def raw(client: AgentClient) -> None:
    raw = client.with_raw_response
    assert_type(raw.health_check(), RawResponse[Health])
    assert_type(raw.list_jobs(), RawResponse[list[Job]])
    assert_type(raw.get_job("j"), RawResponse[Job])
    assert_type(raw.get_job_logs("j"), RawResponse[str])
    assert_type(raw.list_job_logs("j"), RawResponse[str])
    assert_type(raw.stop_job("j"), RawResponse[JobStopResult])
    assert_type(raw.delete_job("j"), RawResponse[None])
    assert_type(raw.get_gpu_status(), RawResponse[GpuStatus])
    assert_type(raw.list_nodes(), RawResponse[list[Node]])
    assert_type(raw.get_node("n"), RawResponse[Node])
    assert_type(raw.list_tasks(), RawResponse[list[Task]])
    assert_type(raw.get_task("t"), RawResponse[Task])
    assert_type(raw.list_serve_applications(), RawResponse[list[ServeApplication]])
    assert_type(raw.get_serve_application("s"), RawResponse[ServeApplication])
    assert_type(raw.delete_serve_application("s"), RawResponse[None])
    assert_type(raw.list_plugin_releases(2, page_size=10), RawResponse[PluginReleasePage])
    assert_type(raw.get_plugin_release("a@1"), RawResponse[PluginRelease])
    assert_type(raw.create_plugin_release("a", "1"), RawResponse[PluginRelease])
    assert_type(raw.delete_plugin_release("a@1"), RawResponse[None])
    assert_type(
        raw.run_plugin_release("a@1", "train", {"epochs": 3}, requirements=["numpy"]),
        RawResponse[RunAccepted | Any],
    )
    assert_type(raw.run_debug_plugin_release("train", modules={"a": "x = 1"}), RawResponse[RunAccepted | Any])
    assert_type(raw.list_containers(page=2), RawResponse[ContainerPage])
    assert_type(raw.get_container(7), RawResponse[Container])
    assert_type(raw.update_container("7", "running"), RawResponse[Container])
    assert_type(raw.delete_container(7), RawResponse[None])
    assert_type(raw.list_docker_containers(), RawResponse[list[Container]])
    assert_type(raw.get_docker_container("c"), RawResponse[Container])
    assert_type(raw.delete_docker_container("c"), RawResponse[None])
    assert_type(raw.start_docker_container("c"), RawResponse[Container])
    assert_type(raw.stop_docker_container("c"), RawResponse[Container])
    assert_type(raw.get_build_status("b"), RawResponse[Build])
    assert_type(raw.get_cluster_resources(use_cache=False), RawResponse[ClusterSnapshot])
    assert_type(raw.check_feasibility(WorkloadKind.JOB, num_gpus=2), RawResponse[Feasibility])
    assert_type(raw.check_feasibility("job"), RawResponse[Feasibility])
    assert_type(raw.get_runtime_policy(), RawResponse[RuntimePolicy])
    assert_type(raw.get_gatekeeping_policy(), RawResponse[RuntimePolicy])
    assert_type(raw.update_runtime_policy(max_concurrent_jobs=5), RawResponse[RuntimePolicy])
    assert_type(raw.update_gatekeeping_policy(gatekeeping_enabled=False), RawResponse[RuntimePolicy])
    assert_type(raw.get_compose_config(), RawResponse[ComposeConfig])
    assert_type(raw.get_system_status(), RawResponse[SystemStatus])
    assert_type(raw.request("GET", "x", params={"a": 1}), RawResponse[Any])
    answer = raw.get_job("j")
    assert_type(answer.parsed, Job)
    assert_type(answer.parsed.message, str | None)
    assert_type(answer.status_code, int)
    assert_type(answer.content, bytes)
    assert_type(answer.headers["content-type"], str)


def raw_without_waiting(client: AgentClient) -> None:
    raw = client.with_raw_response
    # Of an overloaded method the first signature counts; ty joins what all of them return.
    assert_type(raw.create_container(plugin_release="a@1"), RawResponse[BuildAccepted])  # ty: ignore[type-assertion-failure]
    assert_type(raw.create_docker_container("a@1"), RawResponse[BuildAccepted])  # ty: ignore[type-assertion-failure]
    assert_type(raw.update_system(api_tag="1"), RawResponse[SystemOperationResult])  # ty: ignore[type-assertion-failure]
    assert_type(raw.restart_system(), RawResponse[SystemOperationResult])  # ty: ignore[type-assertion-failure]
