"""What type checkers make of `AsyncAgentClient`; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, assert_type

import httpx
import httpx2

from synapse_agent_api.client import RawResponse
from synapse_sdk.clients.agent import AsyncAgentClient
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
from synapse_sdk.long_poll import AsyncLongPollHandler
from synapse_sdk.utils.network import StreamLimits


def token() -> str:
    return "t"


def constructor(
    http: httpx.AsyncClient, http2: httpx2.AsyncClient, handler: AsyncLongPollHandler, context: ssl.SSLContext
) -> None:
    assert_type(AsyncAgentClient("http://a", "t"), AsyncAgentClient)
    assert_type(AsyncAgentClient("http://a", token, user_token=token, tenant="x"), AsyncAgentClient)
    assert_type(AsyncAgentClient(None, "t", long_poll_handler=handler), AsyncAgentClient)
    assert_type(AsyncAgentClient("http://a", "t", timeout=3), AsyncAgentClient)
    assert_type(AsyncAgentClient("http://a", "t", timeout={"connect": 3, "read": 10.5}), AsyncAgentClient)
    assert_type(
        AsyncAgentClient("http://a", "t", timeout=httpx.Timeout(3), max_retries=0, headers={"X-A": "b"}),
        AsyncAgentClient,
    )
    assert_type(
        AsyncAgentClient("http://a", "t", stream_limits=StreamLimits(), verify=False, proxy="http://p"),
        AsyncAgentClient,
    )
    assert_type(AsyncAgentClient("http://a", "t", verify=context), AsyncAgentClient)
    assert_type(AsyncAgentClient("http://a", "t", http_client=http), AsyncAgentClient)
    assert_type(
        AsyncAgentClient("http://a", "t", http_client=http2, timeout=httpx2.Timeout(3)), AsyncAgentClient
    )
    assert_type(AsyncAgentClient.from_env(timeout=3, max_retries=1), AsyncAgentClient)


async def operations(client: AsyncAgentClient) -> None:
    assert_type(await client.health_check(), Health)
    assert_type(await client.list_jobs(), list[Job])
    assert_type(
        await client.list_jobs(status="FAILED", metadata=["team=vision"], limit=5, cursor="x"), list[Job]
    )
    assert_type(await client.get_job("j"), Job)
    assert_type(await client.get_job_logs("j"), str)
    assert_type(await client.get_job_logs("j", tail=5, offset=8, limit_bytes=100), str)
    assert_type(await client.list_job_logs("j"), str)
    assert_type(await client.stop_job("j"), JobStopResult)
    assert_type(await client.delete_job("j"), None)
    assert_type(await client.get_gpu_status(), GpuStatus)
    assert_type(await client.list_nodes(), list[Node])
    assert_type(await client.get_node("n"), Node)
    assert_type(await client.list_tasks(), list[Task])
    assert_type(await client.list_tasks(job_id="j", state="RUNNING", limit=5), list[Task])
    assert_type(await client.get_task("t"), Task)
    assert_type(await client.list_serve_applications(), list[ServeApplication])
    assert_type(await client.get_serve_application("s"), ServeApplication)
    await client.delete_serve_application("s")
    assert_type(await client.list_plugin_releases(2, page_size=10), PluginReleasePage)
    assert_type(await client.get_plugin_release("a@1"), PluginRelease)
    assert_type(await client.create_plugin_release("a", "1"), PluginRelease)
    await client.delete_plugin_release("a@1")
    assert_type(
        await client.run_plugin_release("a@1", "train", {"epochs": 3}, requirements=["numpy"]),
        RunAccepted | Any,
    )
    assert_type(await client.run_debug_plugin_release("train", modules={"a": "x = 1"}), RunAccepted | Any)
    assert_type(await client.list_containers(page=2), ContainerPage)
    assert_type(await client.get_container(7), Container)
    assert_type(await client.update_container("7", "running"), Container)
    await client.delete_container(7)
    assert_type(await client.list_docker_containers(), list[Container])
    assert_type(await client.get_docker_container("c"), Container)
    await client.delete_docker_container("c")
    assert_type(await client.start_docker_container("c"), Container)
    assert_type(await client.stop_docker_container("c"), Container)
    assert_type(await client.get_build_status("b"), Build)
    assert_type(await client.get_cluster_resources(use_cache=False), ClusterSnapshot)
    assert_type(await client.check_feasibility(WorkloadKind.JOB, num_gpus=2), Feasibility)
    assert_type(await client.check_feasibility("job"), Feasibility)
    assert_type(await client.get_runtime_policy(), RuntimePolicy)
    assert_type(await client.get_gatekeeping_policy(), RuntimePolicy)
    assert_type(await client.update_runtime_policy(max_concurrent_jobs=5), RuntimePolicy)
    assert_type(await client.update_gatekeeping_policy(gatekeeping_enabled=False), RuntimePolicy)
    assert_type(await client.get_compose_config(), ComposeConfig)
    assert_type(await client.get_system_status(), SystemStatus)
    assert_type(await client.request("GET", "x", params={"a": 1}), Any)


async def waits(client: AsyncAgentClient, wait: bool) -> None:
    assert_type(await client.create_container(plugin_release="a@1"), BuildAccepted)
    assert_type(await client.create_container(plugin_release="a@1", wait=False), BuildAccepted)
    assert_type(await client.create_container(file=b"PK", wait=True, timeout=None), Container)
    assert_type(
        await client.create_container(file=Path("a.zip"), kind=ContainerKind.CODE_SERVER, wait=wait),
        BuildAccepted | Container,
    )
    assert_type(await client.create_docker_container("a@1", {"x": 1}), BuildAccepted)
    assert_type(await client.create_docker_container("a@1", wait=True, poll_interval=1), Container)
    assert_type(await client.create_docker_container("a@1", wait=wait), BuildAccepted | Container)
    assert_type(await client.update_system(api_tag="1"), SystemOperationResult)
    assert_type(await client.update_system(api_tag="1", wait=True), SystemStatus)
    assert_type(await client.update_system(wait=wait), SystemOperationResult | SystemStatus)
    assert_type(await client.restart_system(), SystemOperationResult)
    assert_type(await client.restart_system(wait=True), SystemStatus)
    assert_type(await client.restart_system(wait=wait), SystemOperationResult | SystemStatus)
    assert_type(await client.wait_for_job("j", timeout=60, poll_interval=1), Job)
    assert_type(await client.wait_for_build("b", timeout=None), Build)
    assert_type(await client.wait_for_system_ready(), SystemStatus)


async def pages(client: AsyncAgentClient) -> None:
    assert_type(client.iter_plugin_releases(page_size=10), AsyncIterator[PluginRelease])
    assert_type(client.iter_containers(), AsyncIterator[Container])
    assert_type(client.iter_jobs(status=JobStatus.FAILED, metadata=["team"]), AsyncIterator[Job])
    async for release in client.iter_plugin_releases():
        assert_type(release, PluginRelease)
    assert_type((await client.list_containers()).results, list[Container])


async def client_itself(client: AsyncAgentClient) -> None:
    async with client as entered:
        assert_type(entered, AsyncAgentClient)
    assert_type(client.with_options(timeout=3, max_retries=0, headers={"X-A": "b"}), AsyncAgentClient)
    assert_type(client.stream_limits, StreamLimits)
    client.stream_limits = StreamLimits.unlimited()
    await client.close()
    await client.aclose()


async def raw(client: AsyncAgentClient) -> None:
    raw = client.with_raw_response
    assert_type(await raw.health_check(), RawResponse[Health])
    assert_type(await raw.list_jobs(), RawResponse[list[Job]])
    assert_type(await raw.get_job("j"), RawResponse[Job])
    assert_type(await raw.get_job_logs("j"), RawResponse[str])
    assert_type(await raw.list_job_logs("j"), RawResponse[str])
    assert_type(await raw.stop_job("j"), RawResponse[JobStopResult])
    assert_type(await raw.delete_job("j"), RawResponse[None])
    assert_type(await raw.get_gpu_status(), RawResponse[GpuStatus])
    assert_type(await raw.list_nodes(), RawResponse[list[Node]])
    assert_type(await raw.get_node("n"), RawResponse[Node])
    assert_type(await raw.list_tasks(), RawResponse[list[Task]])
    assert_type(await raw.get_task("t"), RawResponse[Task])
    assert_type(await raw.list_serve_applications(), RawResponse[list[ServeApplication]])
    assert_type(await raw.get_serve_application("s"), RawResponse[ServeApplication])
    assert_type(await raw.delete_serve_application("s"), RawResponse[None])
    assert_type(await raw.list_plugin_releases(2, page_size=10), RawResponse[PluginReleasePage])
    assert_type(await raw.get_plugin_release("a@1"), RawResponse[PluginRelease])
    assert_type(await raw.create_plugin_release("a", "1"), RawResponse[PluginRelease])
    assert_type(await raw.delete_plugin_release("a@1"), RawResponse[None])
    assert_type(
        await raw.run_plugin_release("a@1", "train", {"epochs": 3}, requirements=["numpy"]),
        RawResponse[RunAccepted | Any],
    )
    assert_type(
        await raw.run_debug_plugin_release("train", modules={"a": "x = 1"}), RawResponse[RunAccepted | Any]
    )
    assert_type(await raw.list_containers(page=2), RawResponse[ContainerPage])
    assert_type(await raw.get_container(7), RawResponse[Container])
    assert_type(await raw.update_container("7", "running"), RawResponse[Container])
    assert_type(await raw.delete_container(7), RawResponse[None])
    assert_type(await raw.list_docker_containers(), RawResponse[list[Container]])
    assert_type(await raw.get_docker_container("c"), RawResponse[Container])
    assert_type(await raw.delete_docker_container("c"), RawResponse[None])
    assert_type(await raw.start_docker_container("c"), RawResponse[Container])
    assert_type(await raw.stop_docker_container("c"), RawResponse[Container])
    assert_type(await raw.get_build_status("b"), RawResponse[Build])
    assert_type(await raw.get_cluster_resources(use_cache=False), RawResponse[ClusterSnapshot])
    assert_type(await raw.check_feasibility(WorkloadKind.JOB, num_gpus=2), RawResponse[Feasibility])
    assert_type(await raw.check_feasibility("job"), RawResponse[Feasibility])
    assert_type(await raw.get_runtime_policy(), RawResponse[RuntimePolicy])
    assert_type(await raw.get_gatekeeping_policy(), RawResponse[RuntimePolicy])
    assert_type(await raw.update_runtime_policy(max_concurrent_jobs=5), RawResponse[RuntimePolicy])
    assert_type(await raw.update_gatekeeping_policy(gatekeeping_enabled=False), RawResponse[RuntimePolicy])
    assert_type(await raw.get_compose_config(), RawResponse[ComposeConfig])
    assert_type(await raw.get_system_status(), RawResponse[SystemStatus])
    assert_type(await raw.request("GET", "x", params={"a": 1}), RawResponse[Any])
    answer = await raw.get_job("j")
    assert_type(answer.parsed, Job)
    assert_type(answer.parsed.message, str | None)
    assert_type(answer.status_code, int)
    assert_type(answer.content, bytes)
    assert_type(answer.headers["content-type"], str)


async def raw_without_waiting(client: AsyncAgentClient) -> None:
    raw = client.with_raw_response
    # Of an overloaded method the first signature counts; ty joins what all of them return.
    assert_type(await raw.create_container(plugin_release="a@1"), RawResponse[BuildAccepted])  # ty: ignore[type-assertion-failure]
    assert_type(await raw.create_docker_container("a@1"), RawResponse[BuildAccepted])  # ty: ignore[type-assertion-failure]
    assert_type(await raw.update_system(api_tag="1"), RawResponse[SystemOperationResult])  # ty: ignore[type-assertion-failure]
    assert_type(await raw.restart_system(), RawResponse[SystemOperationResult])  # ty: ignore[type-assertion-failure]
