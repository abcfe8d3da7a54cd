"""What type checkers make of the fake agent; `make types` checks this file, and nothing runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_type

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.agent.models import BuildStatus, JobStatus, Node, PluginRelease, RuntimePolicy, Task
from synapse_sdk.testing import FakeAgent, FakeBuild, FakeJob, RecordedRequest


def fake(agent: FakeAgent) -> None:
    with agent as entered:
        assert_type(entered, FakeAgent)
    assert_type(agent.client(timeout={"read": 1}), AgentClient)
    assert_type(agent.async_client(agent_token=lambda: "token"), AsyncAgentClient)
    assert_type(agent.add_job("a", status=["PENDING", "RUNNING"]), FakeJob)
    assert_type(agent.jobs, Mapping[str, FakeJob])
    assert_type(agent.jobs["a"].status, JobStatus)
    assert_type(agent.builds["b"], FakeBuild)
    assert_type(agent.builds["b"].status, BuildStatus)
    assert_type(agent.requests, list[RecordedRequest])
    assert_type(agent.add_plugin_release("a@1", actions={"train": "job"}), PluginRelease)
    assert_type(agent.add_node(resources_total={"CPU": 1}), Node)
    assert_type(agent.add_task("t"), Task)
    assert_type(agent.policy, RuntimePolicy)
    assert_type(agent.env, dict[str, str])


def scripts(agent: FakeAgent) -> None:
    def script(job: FakeJob) -> None:
        job.log("one")

    agent.on_run("a", script)
    agent.on_run("a", lambda job: job.log("one"))
    agent.on_run(None, lines=["one"], status="FAILED")
    agent.on_run("a", hold=True)
    agent.on_run("a", script, hold=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # ty: ignore[no-matching-overload]
    agent.on_call("b", lambda params: params["x"])
    with agent.unreachable():
        pass
