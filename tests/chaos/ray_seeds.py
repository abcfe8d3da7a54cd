"""Seeds between an agent and Ray: an agent in this process, a real cluster, and what breaks between them."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import aiohttp
from aiohttp import web
from ray_cluster import RayCluster

from chaos.jobs import BYTES, WRITES_AT_ONCE, WRITES_SLOWLY
from chaos.logs import lines_of
from chaos.ray_breaker import RayBreaker
from chaos.seeds import WORKERS, Background, Outcome, client_of, quick_reconnects, tail
from synapse_agent.app import make_app
from synapse_agent.context import AgentContext
from synapse_agent.database import Database
from synapse_agent.logs.locate import Locator
from synapse_agent.logs.registry import Logs
from synapse_agent.logs.spool import Spool
from synapse_agent.ray.client import RayClient
from synapse_sdk.clients.exceptions import ClientError

__all__ = ["run_ray_seeds"]

_TOKEN = "a-token"

# Tails of one running job at a time, which does not wait for any.
_TAILS = 18


@dataclass
class _Agent:
    """An agent before a cluster that it reaches through a breaker; `log_dir` makes it an embedded one."""

    breaker: RayBreaker
    ray_token: str
    log_dir: Path | None
    data: Path

    async def __aenter__(self) -> _Agent:
        self._ray = RayClient(self.breaker.url, self.ray_token)
        locator = Locator(self._ray, log_dir=self.log_dir, token=self.ray_token)
        self._logs = Logs(self._ray, locator, None if self.log_dir else Spool(None))
        context = AgentContext(self._ray, _TOKEN, Database(self.data / "index"), heartbeat=0.3)
        self._runner = web.AppRunner(make_app(context, self._logs), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._runner.cleanup()
        await self._logs.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"


def run_ray_seeds(cluster: RayCluster, seeds: Iterable[int]) -> Iterator[Outcome]:
    """Tail a job for each seed: over or running, on the head or a worker, of an embedded cluster or not."""
    quick = aiohttp.ClientTimeout(total=4, sock_connect=2, sock_read=3)
    over = {worker: cluster.submit(WRITES_AT_ONCE, worker=worker) for worker in (False, True)}
    for job_id in over.values():
        cluster.wait(job_id)
    with ExitStack() as stack:
        # What a stall costs is no matter here.
        stack.enter_context(mock.patch("synapse_agent.logs.sources._NODE_TIMEOUT", quick))
        stack.enter_context(mock.patch("synapse_agent.ray.client._TIMEOUT", quick))
        stack.enter_context(mock.patch("synapse_agent.logs.locate._RETRY_NODE", 1.0))
        stack.enter_context(quick_reconnects())
        background = stack.enter_context(Background())
        todo = list(seeds)
        for start in range(0, len(todo), _TAILS):
            group = todo[start : start + _TAILS]
            live = {worker: cluster.submit(WRITES_SLOWLY, worker=worker) for worker in (False, True)}
            for job_id in live.values():
                cluster.wait(job_id, "RUNNING")

            def run(seed: int, live: dict[bool, str] = live) -> Outcome:
                # Nine ways of clients and protocols go with each of these eight.
                worker, running, embedded = (seed // count % 2 == 0 for count in (9, 18, 36))
                job_id = (live if running else over)[worker]
                what = (
                    "embedded" if embedded else "remote",
                    "running" if running else "over",
                    "on a worker" if worker else "on the head",
                )
                return _run(cluster, background, seed, job_id, what, embedded=embedded)

            with ThreadPoolExecutor(min(_TAILS, max(WORKERS, len(group)))) as pool:
                yield from pool.map(run, group)


def _run(
    cluster: RayCluster,
    background: Background,
    seed: int,
    job_id: str,
    what: tuple[str, ...],
    *,
    embedded: bool,
) -> Outcome:
    rng = random.Random(seed)
    outcome = Outcome(seed, ", ".join((*client_of(seed), *what, job_id)))
    breaker = RayBreaker(cluster.url, rng, breaks=rng.choice((3, 10, 30)), often=rng.choice((0.1, 0.3, 0.6)))
    lines: list[str] = []
    started = time.monotonic()
    log_dir = cluster.nodes[0].tmp / "ray" / "session_latest" / "logs" if embedded else None
    with tempfile.TemporaryDirectory() as data, background.entered(breaker):
        agent = _Agent(breaker, cluster.token, log_dir, Path(data))
        with background.entered(agent):
            try:
                tail(agent.url, *client_of(seed), lines, job_id=job_id, token=_TOKEN)
            except (ClientError, TimeoutError) as exc:
                outcome.error = exc
    outcome.seconds = time.monotonic() - started
    outcome.cuts = breaker.done.total()
    outcome.done = [f"{how}: {count}" for how, count in breaker.done.items()]
    # The job may still have been writing when the tail began.
    raw = cluster.raw_log(job_id)
    assert raw.endswith(BYTES) or outcome.error is not None, "a log that is not whole was given out for whole"
    expected = lines_of(raw.decode("utf-8", "replace"))
    outcome.expected = len(expected)
    outcome.equal = lines == expected
    outcome.lost = (Counter(expected) - Counter(lines)).total()
    outcome.repeated = (Counter(lines) - Counter(expected)).total()
    return outcome
