"""What type checkers make of a call; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from synapse_agent_api.client import RawResponse
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.agent.models import (
    Build,
    BuildAccepted,
    Container,
    ContainerPage,
    Job,
    PluginRelease,
    SystemOperationResult,
    SystemStatus,
)
from synapse_sdk.long_poll.redis import AsyncRedisLongPollHandler, RedisLongPollHandler


def sync(client: AgentClient, wait: bool) -> None:
    assert_type(client.create_container(plugin_release="a@1"), BuildAccepted)
    assert_type(client.create_container(plugin_release="a@1", wait=False), BuildAccepted)
    assert_type(client.create_container(file=b"PK", wait=True, timeout=None), Container)
    assert_type(client.create_container(wait=wait), BuildAccepted | Container)
    assert_type(client.create_docker_container("a@1", wait=True, poll_interval=1), Container)
    assert_type(client.update_system(api_tag="1"), SystemOperationResult)
    assert_type(client.restart_system(wait=True), SystemStatus)
    assert_type(client.wait_for_job("j"), Job)
    assert_type(client.wait_for_build("b"), Build)
    assert_type(client.wait_for_system_ready(), SystemStatus)
    assert_type(client.iter_plugin_releases(), Iterator[PluginRelease])
    assert_type(client.list_containers(page=2), ContainerPage)
    assert_type(client.with_options(timeout=3), AgentClient)
    assert_type(client.with_raw_response.get_job("j"), RawResponse[Job])
    assert_type(client.with_raw_response.get_job("j").parsed, Job)
    assert_type(client.with_raw_response.list_jobs().parsed, list[Job])
    assert_type(client.with_raw_response.delete_container(7).parsed, None)
    assert_type(client.with_raw_response.request("GET", "x"), RawResponse[Any])
    assert_type(client.request("GET", "x"), Any)
    client.with_raw_response.get_job(nonsense=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.with_raw_response.get_job()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def asynchronous(client: AsyncAgentClient, wait: bool) -> None:
    assert_type(await client.create_container(plugin_release="a@1"), BuildAccepted)
    assert_type(await client.create_container(file=b"PK", wait=True), Container)
    assert_type(await client.create_container(wait=wait), BuildAccepted | Container)
    assert_type(await client.restart_system(wait=True), SystemStatus)
    assert_type(await client.wait_for_job("j"), Job)
    assert_type(client.iter_containers(), AsyncIterator[Container])
    assert_type(client.with_options(max_retries=0), AsyncAgentClient)
    assert_type(await client.with_raw_response.get_job("j"), RawResponse[Job])
    assert_type((await client.with_raw_response.list_jobs()).parsed, list[Job])
    assert_type(await client.with_raw_response.request("GET", "x"), RawResponse[Any])


def handlers() -> None:
    AgentClient(None, "t", long_poll_handler=RedisLongPollHandler("redis://h", "a"))
    AsyncAgentClient(None, "t", long_poll_handler=AsyncRedisLongPollHandler("redis://h", "a"))
