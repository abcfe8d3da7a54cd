"""Seeds against a real job: our agent, its Ray, and the proxy between agent and client."""

from __future__ import annotations

import random
import textwrap
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from chaos.logs import known_log, lines_of
from chaos.plan import Plan
from chaos.seeds import WORKERS, Background, Outcome, client_of, tail_through

__all__ = ["BYTES", "WRITES_AT_ONCE", "WRITES_SLOWLY", "Agent", "run_job_seeds"]

# The agent cuts a line of this length into pieces.
_LONG = "long " + "é🚀x" * 20_000
_LOG = known_log(random.Random(0), 150) + f"\n{_LONG}\n\n" + known_log(random.Random(1), 150, newline=False)

BYTES = _LOG.encode().replace(b"150 end", b"not UTF-8: \xff\xfe\xe2\x82 end", 1)
"""The log of the jobs."""

WRITES_AT_ONCE = f"sys.stdout.buffer.write({BYTES!r})"
WRITES_SLOWLY = textwrap.dedent(f"""
    import random
    data, rng = {BYTES!r}, random.Random(2)
    while data:
        # In parts that have nothing to do with lines.
        size = len(data) // 100 if rng.random() < 0.1 else rng.randint(1, 400)
        sys.stdout.buffer.write(data[:size + 1])
        sys.stdout.buffer.flush()
        data = data[size + 1:]
        time.sleep(0.05)
""")


class Agent(Protocol):
    """A running agent, of which no more is needed than that."""

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    def raw_log(self, job_id: str) -> bytes: ...


def run_job_seeds(
    agent: Agent,
    background: Background,
    job_id: str,
    seeds: Iterable[int],
    *,
    span: int,
    at_once: int = WORKERS,
) -> Iterator[Outcome]:
    """Tail a job whose log is `BYTES` once for each seed, several at a time."""
    expected = [*_rays_own(agent, job_id), *lines_of(BYTES.decode("utf-8", "replace"))]
    port = int(agent.url.rpartition(":")[2])

    def run(seed: int) -> Outcome:
        rng = random.Random(seed)
        outcome = Outcome(seed, ", ".join((*client_of(seed), job_id)))
        plan = Plan.draw(rng, rng.choice((1, 5, 15)), span=span)
        tail_through(background, outcome, plan, expected, port=port, job_id=job_id, token=agent.token)
        return outcome

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(run, seeds)


def _rays_own(agent: Agent, job_id: str) -> list[str]:
    """The two lines that Ray writes before those of the job."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            *lines, _ = agent.raw_log(job_id).decode("utf-8", "replace").split("\n", 2)
            if len(lines) == 2:
                return lines
        time.sleep(0.05)
    raise AssertionError(f"{job_id} has no log after 60 s")
