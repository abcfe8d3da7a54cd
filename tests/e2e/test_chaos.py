"""Tails of real jobs through a network that breaks: the proxy of `tests/chaos` before the session's agent."""

from __future__ import annotations

import random
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from chaos.logs import known_log, lines_of
from chaos.plan import Plan
from chaos.seeds import WORKERS, Background, Outcome, client_of, quick_reconnects, tail_through

from .conftest import RunningAgent

pytestmark = pytest.mark.ray

FINISHED, RUNNING = 45, 18

# The agent cuts a line of this length into pieces.
LONG = "long " + "é🚀x" * 20_000
LOG = known_log(random.Random(0), 150) + f"\n{LONG}\n\n" + known_log(random.Random(1), 150, newline=False)
BYTES = LOG.encode().replace(b"150 end", b"not UTF-8: \xff\xfe\xe2\x82 end", 1)
LINES = lines_of(BYTES.decode("utf-8", "replace"))

WRITES_AT_ONCE = f"sys.stdout.buffer.write({BYTES!r})"
# In parts that have nothing to do with lines, for as long as the tails take.
WRITES_SLOWLY = textwrap.dedent(f"""
    import random
    data, rng = {BYTES!r}, random.Random(2)
    while data:
        size = len(data) // 100 if rng.random() < 0.1 else rng.randint(1, 400)
        sys.stdout.buffer.write(data[:size + 1])
        sys.stdout.buffer.flush()
        data = data[size + 1:]
        time.sleep(0.05)
""")


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    with Background() as background, quick_reconnects():
        yield background


@pytest.fixture(scope="module")
def finished_job(agent: RunningAgent) -> str:
    job_id = agent.submit(WRITES_AT_ONCE)
    agent.wait(job_id)
    return job_id


def tails(agent: RunningAgent, background: Background, job_id: str, count: int, **plan: Any) -> list[Outcome]:
    def run(seed: int) -> Outcome:
        rng = random.Random(seed)
        outcome = Outcome(seed, ", ".join(client_of(seed)))
        drawn = Plan.draw(rng, rng.choice((1, 5, 15)), **plan)
        port = int(agent.url.rpartition(":")[2])
        tail_through(background, outcome, drawn, expected, port=port, job_id=job_id, token=agent.token)
        return outcome

    agent.wait(job_id, "RUNNING", "SUCCEEDED")
    expected = [*rays_own(agent, job_id), *LINES]
    with ThreadPoolExecutor(count if count <= 2 * WORKERS else WORKERS) as pool:
        return list(pool.map(run, range(count)))


def rays_own(agent: RunningAgent, job_id: str) -> list[str]:
    """The two lines that Ray writes before those of the job."""
    while True:
        with suppress(FileNotFoundError):
            *lines, _ = agent.raw_log(job_id).decode("utf-8", "replace").split("\n", 2)
            if len(lines) == 2:
                return lines
        time.sleep(0.05)


def assert_whole(outcomes: list[Outcome]) -> None:
    failed = [str(outcome) for outcome in outcomes if not outcome.ok]
    assert not failed, "\n".join(failed)
    assert sum(outcome.cuts for outcome in outcomes) > len(outcomes)


def test_a_finished_job(agent: RunningAgent, background: Background, finished_job: str) -> None:
    assert agent.raw_log(finished_job).endswith(BYTES)
    assert_whole(tails(agent, background, finished_job, FINISHED, span=100_000))


def test_a_running_job(agent: RunningAgent, background: Background) -> None:
    job_id = agent.submit(WRITES_SLOWLY)
    outcomes = tails(agent, background, job_id, RUNNING, span=3_000)
    assert_whole(outcomes)
    assert agent.raw_log(job_id).endswith(BYTES)
