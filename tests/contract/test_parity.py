"""Both clients promise the same: names, signatures, docstrings, and every operation of the spec."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from checkout import ROOT
from tables import each_row

from synapse_agent_api.api import AgentApi, AsyncAgentApi
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient

SPEC = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text("utf-8"))
REST_METHODS = [
    name
    for item in SPEC["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict)
    for name in [operation["operationId"], *operation.get("x-aliases", ())]
]
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


@each_row("name", methods(AgentClient))
def test_a_method_is_the_same_on_both(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert told(sync) == told(asynchronous)
    assert documented(sync) == documented(asynchronous)


@each_row("name", methods(AgentClient))
def test_a_method_of_one_blocks_and_of_the_other_is_awaited(name: str) -> None:
    sync, asynchronous = getattr(AgentClient, name), getattr(AsyncAgentClient, name)
    assert not inspect.iscoroutinefunction(sync)
    assert not inspect.isasyncgenfunction(sync)
    assert inspect.isasyncgenfunction(asynchronous) == inspect.isgeneratorfunction(sync) == (name in PAGES)
    assert inspect.iscoroutinefunction(asynchronous) == (name not in AT_ONCE and name not in PAGES)


@each_row("name", sorted(public(AgentClient) - set(methods(AgentClient))))
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


@each_row("name", methods(AgentClient))
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


@each_row("name", [*REST_METHODS, "request"])
def test_a_raw_method_takes_what_the_method_takes(raw: tuple[Any, Any], name: str) -> None:
    kinds = (AgentClient, AsyncAgentClient)
    for kind, view in zip(kinds, raw, strict=True):
        plain = inspect.signature(getattr(kind, name))
        taken = inspect.signature(getattr(view, name)).parameters
        assert [str(item) for item in taken.values()] == [str(item) for item in plain.parameters.values()][1:]
