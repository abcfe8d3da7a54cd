"""A fake agent for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synapse_sdk.testing import FakeAgent


@pytest.fixture(autouse=True)
def _no_trouble_in_the_agents_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing went wrong in a callback, which asyncio would only log."""
    yield
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    assert [record.getMessage() for record in records if record.name == "asyncio"] == []


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    with FakeAgent(heartbeat=0.05) as agent:
        yield agent
