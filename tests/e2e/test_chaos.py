"""Tails of real jobs through a network that breaks: the proxy of `tests/chaos` before the session's agent.

`make soak RAY=1` runs more of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chaos.jobs import BYTES, WRITES_AT_ONCE, WRITES_SLOWLY, run_job_seeds
from chaos.seeds import Background, Outcome, quick_reconnects
from running_agent import RunningAgent

pytestmark = pytest.mark.ray

FINISHED, RUNNING = 45, 18


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    with Background() as background, quick_reconnects():
        yield background


def assert_whole(outcomes: list[Outcome]) -> None:
    failed = [str(outcome) for outcome in outcomes if not outcome.ok]
    assert not failed, "\n".join(failed)
    assert sum(outcome.cuts for outcome in outcomes) > len(outcomes)


def test_a_finished_job(agent: RunningAgent, background: Background) -> None:
    job_id = agent.submit(WRITES_AT_ONCE)
    agent.wait(job_id)
    assert agent.raw_log(job_id).endswith(BYTES)
    assert_whole(list(run_job_seeds(agent, background, job_id, range(FINISHED), span=100_000)))


def test_a_running_job(agent: RunningAgent, background: Background) -> None:
    job_id = agent.submit(WRITES_SLOWLY)
    # All of them at once, since the job does not wait for any.
    outcomes = run_job_seeds(agent, background, job_id, range(RUNNING), span=3_000, at_once=RUNNING)
    assert_whole(list(outcomes))
    assert agent.raw_log(job_id).endswith(BYTES)
