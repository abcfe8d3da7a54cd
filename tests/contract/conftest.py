"""The real agent with something in it, for the tests of its side of the contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from running_agent import RunningAgent

from .agent_world import clear, prepare


@pytest.fixture(scope="module")
def world(agent: RunningAgent) -> Iterator[dict[str, Any]]:
    """The ids of what the agent has, by the parameters that take them."""
    policy = agent.http.get("resources/policy/").json()
    try:
        yield prepare(agent)
    finally:
        agent.http.patch("resources/policy/", json=policy)
        # An agent that outlives the tests may keep what the next ones need.
        if "SYNAPSE_TEST_AGENT" not in os.environ:
            clear(agent)
