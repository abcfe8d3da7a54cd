"""The fake agent as pytest fixtures.

Name it in the conftest.py at the root of your tests:

    pytest_plugins = ["synapse_sdk.testing.pytest_plugin"]
"""

# It is no entry point of pytest: every run in an environment that has the SDK would import it, whether or not
# its tests have anything to do with an agent, before coverage is measured and before `pythonpath` counts.

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import FakeAgent

__all__ = ["fake_agent", "fake_agent_env"]


@pytest.fixture
def fake_agent() -> Iterator[FakeAgent]:
    """Yield a new `FakeAgent`."""
    with FakeAgent() as agent:
        yield agent


@pytest.fixture
def fake_agent_env(fake_agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> FakeAgent:
    """Yield the same agent, listening, and set in the environment for code that makes its own client."""
    fake_agent.serve()
    for name, value in fake_agent.env.items():
        monkeypatch.setenv(name, value)
    return fake_agent
