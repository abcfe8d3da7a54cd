"""Both clients promise the same: names, signatures, docstrings, and what the contract's table lists."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from synapse_agent_api.api import AgentApi, AsyncAgentApi
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

# The contract's table, by its groups.
REST = {
    "health": ["health_check"],
    "jobs": ["list_jobs", "get_job", "get_job_logs", "list_job_logs", "stop_job", "delete_job"],
    "nodes": ["list_nodes", "get_node", "get_gpu_status"],
    "tasks": ["list_tasks", "get_task"],
    "serve": ["list_serve_applications", "get_serve_application", "delete_serve_application"],
    "plugin releases": [
        "list_plugin_releases",
        "get_plugin_release",
        "create_plugin_release",
        "delete_plugin_release",
        "run_plugin_release",
        "run_debug_plugin_release",
    ],
    "containers and builds": [
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
    ],
    "resources": [
        "get_cluster_resources",
        "check_feasibility",
        "get_gatekeeping_policy",
        "update_gatekeeping_policy",
        "get_runtime_policy",
        "update_runtime_policy",
    ],
    "system": ["get_compose_config", "get_system_status", "update_system", "restart_system"],
}
REST_METHODS = [name for names in REST.values() for name in names]
STREAMS = ["tail_job_logs", "websocket_tail_job_logs", "stream_tail_job_logs", "tail_many"]
WAITS = ["wait_for_job", "wait_for_build", "wait_for_system_ready"]
PAGES = ["iter_plugin_releases", "iter_containers", "iter_jobs"]
VIEWS = ["with_options", "with_raw_response"]
OTHERS = ["from_env", "close", "request", "stream_limits"]
# What only the asynchronous one has.
OWN = {"aclose"}

# These give something at once, to be awaited or iterated later; every other method is awaited itself.
AT_ONCE = {*STREAMS, "with_options", "from_env"}


def public(kind: object) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def methods(kind: type) -> list[str]:
    names = sorted(public(kind))
    return [name for name in names if not isinstance(inspect.getattr_static(kind, name), property)]


def told(function: Callable[..., Any]) -> str:
    """A signature, in the words of the synchronous client."""
    return str(inspect.signature(function)).replace("Async", "")


def documented(member: Any) -> str:
    """A docstring, in the words of the synchronous client."""
    return str(inspect.getdoc(member)).replace("AsyncAgentClient", "AgentClient")


def test_both_have_what_the_contract_lists_and_nothing_else() -> None:
    listed = {*REST_METHODS, *STREAMS, *WAITS, *PAGES, *VIEWS, *OTHERS}
    assert public(AgentClient) == listed
    assert public(AsyncAgentClient) == listed | OWN


def test_the_generated_methods_are_those_of_the_rest_groups() -> None:
    assert public(AgentApi) == {*REST_METHODS, *PAGES} == public(AsyncAgentApi)


@pytest.mark.parametrize("name", methods(AgentClient))
def test_a_method_is_the_same_on_both(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert told(sync) == told(asynchronous)
    assert documented(sync) == documented(asynchronous)


@pytest.mark.parametrize("name", methods(AgentClient))
def test_a_method_of_one_blocks_and_of_the_other_is_awaited(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert not inspect.iscoroutinefunction(sync)
    assert not inspect.isasyncgenfunction(sync)
    assert inspect.isasyncgenfunction(asynchronous) == inspect.isgeneratorfunction(sync) == (name in PAGES)
    assert inspect.iscoroutinefunction(asynchronous) == (name not in AT_ONCE and name not in PAGES)


@pytest.mark.parametrize("name", sorted(public(AgentClient) - set(methods(AgentClient))))
def test_a_property_is_the_same_on_both(name: str) -> None:
    sync, asynchronous = (inspect.getattr_static(kind, name) for kind in (AgentClient, AsyncAgentClient))
    assert told(sync.fget) == told(asynchronous.fget)
    assert documented(sync) == documented(asynchronous)
    assert (sync.fset is None) == (asynchronous.fset is None)


def test_both_are_made_the_same_way() -> None:
    assert told(AgentClient.__init__) == told(AsyncAgentClient.__init__)
    # The class's docstring is the constructor's; they differ in how such a client is run.
    ours, others = documented(AgentClient), documented(AsyncAgentClient)
    assert ours[ours.index("Args:") :] == others[others.index("Args:") :].replace(
        "httpx.AsyncClient", "httpx.Client"
    )


def test_both_are_context_managers() -> None:
    assert {"__enter__", "__exit__"} <= set(dir(AgentClient))
    assert {"__aenter__", "__aexit__"} <= set(dir(AsyncAgentClient))
    assert documented(AsyncAgentClient.aclose)


@pytest.mark.parametrize("name", methods(AgentClient))
def test_a_method_is_documented_with_an_example(name: str) -> None:
    doc = inspect.getdoc(getattr(AgentClient, name)) or ""
    assert doc
    assert ">>>" in doc or doc.startswith("Alias of") or name == "close"


# -- with_raw_response


@pytest.fixture(scope="module")
def raw() -> Iterator[tuple[Any, Any]]:
    """The raw views of both clients."""
    with AgentClient("http://127.0.0.1:1", "token") as client:
        yield client.with_raw_response, AsyncAgentClient("http://127.0.0.1:1", "token").with_raw_response


def test_the_raw_views_have_every_method_that_is_one_request(raw: tuple[Any, Any]) -> None:
    for view in raw:
        assert public(view) == {*REST_METHODS, "request"}


@pytest.mark.parametrize("name", [*REST_METHODS, "request"])
def test_a_raw_method_takes_what_the_method_takes(raw: tuple[Any, Any], name: str) -> None:
    kinds = (AgentClient, AsyncAgentClient)
    for kind, view in zip(kinds, raw, strict=True):
        plain = inspect.signature(getattr(kind, name))
        taken = inspect.signature(getattr(view, name)).parameters
        assert [str(item) for item in taken.values()] == [str(item) for item in plain.parameters.values()][1:]
