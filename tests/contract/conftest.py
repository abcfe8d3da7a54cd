"""The agents whose side of the contract is tested, with something in them: the real one, and the fake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from running_agent import RunningAgent

from .agent_world import clear, prepare

# An agent that is named is the one to test.
ONLY_REAL = "SYNAPSE_TEST_AGENT" in os.environ
REAL = pytest.param("real", marks=[pytest.mark.ray, pytest.mark.xdist_group("real_agent")])
AGENTS = [REAL, *([] if ONLY_REAL else ["fake"])]


@pytest.fixture(scope="module", params=AGENTS)
def agent(request: pytest.FixtureRequest) -> Iterator[RunningAgent]:
    """The session's real agent, and a fake one of the module's own on a real socket."""
    if request.param == "real":
        yield request.getfixturevalue("real_agent")
        return
    # Here, because a changed spec (tools/spec/mutate.py) may leave the fake without a model that it needs.
    from .fake_world import running_fake

    with running_fake() as agent:
        yield agent


@pytest.fixture(scope="module")
def world(agent: RunningAgent) -> Iterator[dict[str, Any]]:
    """The ids of what the agent has, by the parameters that take them.

    Where an operation needs one of its own, that is there under `operation.parameter`.
    """
    if agent.fake is not None:
        from .fake_world import fake_world

        yield fake_world(agent.fake)
        return
    policy = agent.http.get("resources/policy/").json()
    try:
        yield prepare(agent)
    finally:
        agent.http.patch("resources/policy/", json=policy)
        # An agent that outlives the tests may keep what the next ones need.
        if not ONLY_REAL:
            clear(agent)
