"""One seed: a log, an agent, a plan and a client, all drawn from it; run, and compared line by line."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar
from unittest import mock

import anyio
from backends import BACKENDS, Backend

from chaos.agent import ReplayingAgent
from chaos.logs import Kind, known_log, lines_of
from chaos.plan import Plan
from chaos.proxy import Proxy
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError
from synapse_sdk.utils.network import StreamLimits

__all__ = [
    "WORKERS",
    "Background",
    "Outcome",
    "client_of",
    "quick_reconnects",
    "run_seed",
    "run_seeds",
    "tail_through",
]

T = TypeVar("T")
Protocol = Literal["websocket", "http", "auto"]

PROTOCOLS: tuple[Protocol, ...] = ("websocket", "http", "auto")
_KINDS: tuple[Kind, ...] = ("lines", "pieces", "lines", "pieces", "offset pieces")

# Seconds until a dead peer is noticed: what a stall costs.
TIMEOUT = 1.0
# Seconds after which a tail that has not ended hangs.
HANGS = 120.0
# Seeds at a time; most of them wait for a stall to be noticed.
WORKERS = 12


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    what: str
    expected: int = 0
    lost: int = 0
    repeated: int = 0
    cuts: int = 0
    equal: bool = False
    error: BaseException | None = None
    done: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.equal and self.error is None

    def __str__(self) -> str:
        text = f"seed {self.seed} ({self.what}): {self.expected} lines"
        text += f", {self.lost} lost, {self.repeated} repeated"
        if not self.ok and not self.lost and not self.repeated and not self.error:
            text += ", in another order"
        if self.error is not None:
            text += f"; {type(self.error).__name__}: {self.error}"
        return text + "".join(f"\n    {n}: {done}" for n, done in enumerate(self.done))


class Background:
    """An event loop in a thread of its own, for proxies and agents."""

    def __enter__(self) -> Background:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @contextmanager
    def entered(self, *managers: Any) -> Iterator[None]:
        opened = []
        try:
            for manager in managers:
                self.run(manager.__aenter__())
                opened.append(manager)
            yield
        finally:
            for manager in reversed(opened):
                self.run(manager.__aexit__(None, None, None))


@contextmanager
def quick_reconnects() -> Iterator[None]:
    """How long the waits between tries are is no matter here."""
    with mock.patch("synapse_sdk.streaming._tail._BACKOFF", 0.005):
        yield


def tail(
    url: str,
    backend: Backend,
    protocol: Protocol,
    lines: list[str],
    *,
    job_id: str = "job",
    token: str = "a-token",
) -> None:
    """Tail a job to its end, into `lines`; raise what ends it otherwise."""
    # The largest line of these logs is whole, and before a tail was ever attached it is as patient as after.
    options: dict[str, Any] = {
        "timeout": 5.0,
        "max_retries": 8,
        "stream_limits": replace(StreamLimits.unlimited(), max_message_size=2**20),
    }
    if backend == "sync":
        with (
            AgentClient(url, token, **options) as client,
            client.tail_job_logs(job_id, TIMEOUT, protocol=protocol) as stream,
        ):
            lines.extend(stream)
            return

    async def run() -> None:
        async with (
            AsyncAgentClient(url, token, **options) as client,
            client.tail_job_logs(job_id, TIMEOUT, protocol=protocol) as stream,
        ):
            with anyio.fail_after(HANGS):
                async for line in stream:
                    lines.append(line)

    anyio.run(run, backend=backend)


def tail_through(
    background: Background,
    outcome: Outcome,
    plan: Plan,
    expected: list[str],
    *,
    port: int,
    newline: int = 0,
    job_id: str = "job",
    token: str = "a-token",
) -> None:
    """Tail a job of the agent on `port` through a proxy with this plan; note in `outcome` what it came to."""
    proxy = Proxy(port, plan, newline=newline)
    lines: list[str] = []
    started = time.monotonic()
    with background.entered(proxy):
        try:
            url = f"http://127.0.0.1:{proxy.port}"
            tail(url, *client_of(outcome.seed), lines, job_id=job_id, token=token)
        except (ClientError, TimeoutError) as exc:
            outcome.error = exc
    outcome.seconds = time.monotonic() - started
    outcome.cuts = proxy.cuts
    outcome.done = proxy.done
    outcome.expected = len(expected)
    outcome.equal = lines == expected
    outcome.lost = (Counter(expected) - Counter(lines)).total()
    outcome.repeated = (Counter(lines) - Counter(expected)).total()


def client_of(seed: int) -> tuple[Backend, Protocol]:
    return BACKENDS[seed % 3], PROTOCOLS[seed // 3 % 3]


def run_seed(seed: int, background: Background, *, plan: Plan | None = None) -> Outcome:
    """Run one seed against an agent that replays and rechunks; `plan` replaces the plan of the seed."""
    rng = random.Random(seed)
    kind = rng.choice(_KINDS)
    log = known_log(rng, rng.choice((5, 50, 200)))
    drawn = Plan.draw(rng, rng.choice((1, 3, 8, 15)), span=rng.choice((400, 5_000)))
    agent = ReplayingAgent(
        kind,
        log,
        random.Random(rng.random()),
        completes=rng.random() < 0.7,
        finished=rng.random() < 0.5,
    )
    what = (*client_of(seed), kind, "complete" if agent.completes else "no complete")
    outcome = Outcome(seed, ", ".join((*what, "finished" if agent.finished else "running")))
    newline = int(kind == "lines")
    with background.entered(agent):
        expected = lines_of(log, kind)
        tail_through(background, outcome, plan or drawn, expected, port=agent.port, newline=newline)
    return outcome


def run_seeds(seeds: Iterable[int]) -> Iterator[Outcome]:
    """Run seeds, several at a time; give what became of them in their order."""
    with Background() as background, quick_reconnects(), ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(lambda seed: run_seed(seed, background), seeds)
