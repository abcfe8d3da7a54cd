"""A fake agent for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synapse_sdk.testing import FakeAgent


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    with FakeAgent(heartbeat=0.05) as agent:
        yield agent
