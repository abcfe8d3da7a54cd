"""Both clients promise the same: names, signatures, docstrings, and what the contract's table lists."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from synapse_agent_api.api import AgentApi, AsyncAgentApi
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

REST_METHODS = [
    "health_check",
    "list_jobs",
    "get_job",
    "get_job_logs",
    "list_job_logs",
    "stop_job",
    "list_nodes",
    "get_node",
    "get_gpu_status",
    "list_tasks",
    "get_task",
    "list_serve_applications",
    "get_serve_application",
    "delete_serve_application",
    "list_plugin_releases",
    "get_plugin_release",
    "create_plugin_release",
    "delete_plugin_release",
    "run_plugin_release",
    "run_debug_plugin_release",
    "list_containers",
    "get_container",
    "create_container",
    "update_container",
    "delete_container",
    "list_docker_containers",
    "get_docker_container",
    "create_docker_container",
    "delete_docker_container",
    "start_docker_container",
    "stop_docker_container",
    "get_build_status",
    "get_cluster_resources",
    "check_feasibility",
    "get_gatekeeping_policy",
    "update_gatekeeping_policy",
    "get_runtime_policy",
    "update_runtime_policy",
    "get_compose_config",
    "get_system_status",
    "update_system",
    "restart_system",
]

STREAMS = ["tail_job_logs", "websocket_tail_job_logs", "stream_tail_job_logs", "tail_many"]
OURS = ["wait_for_job", "wait_for_build", "wait_for_system_ready", "with_options", "request"]
WALKS = ["iter_plugin_releases", "iter_containers"]
# Where the two differ, because Python's protocols do.
OWN_TO_SYNC = {"__enter__", "__exit__"}
OWN_TO_ASYNC = {"__aenter__", "__aexit__", "aclose"}


def public(kind: type) -> Iterator[str]:
    for name in dir(kind):
        if not name.startswith("_"):
            yield name


def signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


def test_both_have_the_same_public_names() -> None:
    assert set(public(AsyncAgentClient)) - OWN_TO_ASYNC == set(public(AgentClient))


@pytest.mark.parametrize("name", REST_METHODS)
def test_a_rest_method_is_the_same_on_both(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert not inspect.iscoroutinefunction(sync)
    assert inspect.iscoroutinefunction(asynchronous)
    assert signature(sync) == signature(asynchronous)
    assert sync.__doc__
    assert sync.__doc__ == asynchronous.__doc__


def test_the_table_lists_every_generated_method() -> None:
    assert set(public(AgentApi)) == set(REST_METHODS) == set(public(AsyncAgentApi))


@pytest.mark.parametrize("name", OURS)
def test_a_composed_method_is_the_same_on_both(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert signature(sync) == signature(asynchronous)
    assert sync.__doc__
    assert sync.__doc__ == asynchronous.__doc__
    assert inspect.iscoroutinefunction(asynchronous) is (name != "with_options")


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_is_the_same_on_both(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert inspect.isgeneratorfunction(sync)
    assert inspect.isasyncgenfunction(asynchronous)
    assert str(signature(sync)) == str(signature(asynchronous)).replace("AsyncIterator", "Iterator")
    assert sync.__doc__
    assert sync.__doc__ == asynchronous.__doc__


def test_raw_responses_come_from_every_method_of_both() -> None:
    sync, asynchronous = AgentClient("http://agent/", "t"), AsyncAgentClient("http://agent/", "t")
    raw, async_raw = sync.with_raw_response, asynchronous.with_raw_response
    assert set(public(type(raw))) == {*REST_METHODS, "request"} == set(public(type(async_raw)))
    assert AgentClient.with_raw_response.__doc__ == AsyncAgentClient.with_raw_response.__doc__
    for name in REST_METHODS:
        one, other = getattr(raw, name), getattr(async_raw, name)
        assert signature(one) == signature(getattr(sync, name)) == signature(other)
        assert one.__doc__ == getattr(sync, name).__doc__
        assert inspect.iscoroutinefunction(other)
        assert not inspect.iscoroutinefunction(one)
    assert signature(raw.request) == signature(async_raw.request)
    assert raw.request.__doc__ == async_raw.request.__doc__


def test_every_public_name_is_in_a_list() -> None:
    listed = {
        *REST_METHODS,
        *STREAMS,
        *OURS,
        *WALKS,
        "with_raw_response",
        "from_env",
        "stream_limits",
        "close",
    }
    assert set(public(AgentClient)) == listed


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_method_takes_the_same_on_both(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert signature(sync).parameters == signature(asynchronous).parameters
    assert sync.__doc__
    assert sync.__doc__ == asynchronous.__doc__


@pytest.mark.parametrize("name", ["__init__", "from_env"])
def test_both_are_made_the_same_way(name: str) -> None:
    sync = signature(getattr(AgentClient, name)).parameters
    asynchronous = signature(getattr(AsyncAgentClient, name)).parameters
    assert list(sync) == list(asynchronous)
    for parameter in sync:
        if parameter != "http_client":
            assert str(sync[parameter]) == str(asynchronous[parameter]).replace("AsyncLongPoll", "LongPoll")


def test_every_public_method_is_documented_with_an_example() -> None:
    for name in public(AgentClient):
        member = inspect.getattr_static(AgentClient, name)
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        assert function.__doc__, name
        if not isinstance(member, property):
            assert ">>>" in function.__doc__ or function.__doc__.startswith("Alias of") or name == "close"
