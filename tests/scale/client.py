"""A process that tails, looks at every line, and tells as JSON what that took."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable

from scale.resources import PeakMemory, raise_file_limit
from scale.server import BLOCK, lines_of_block
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.utils.network import StreamLimits

_TIMEOUT = 120.0


class _Expected:
    """Compares lines with those of the server's blocks."""

    def __init__(self, size: int) -> None:
        self._lines = lines_of_block(size)
        self.count = 0

    def __call__(self, line: str) -> None:
        if line != self._lines[self.count % BLOCK]:
            raise SystemExit(f"line {self.count} is {line[:100]!r}")
        self.count += 1


def bulk(url: str, backend: str, protocol: str, job: str, size: int, lines: int) -> dict[str, float]:
    """One tail of a long log, after a short one of the same kind."""

    def sync_tail(count: int, expected: _Expected) -> None:
        with AgentClient(url, "t", stream_limits=StreamLimits.unlimited()) as client:
            stream = client.tail_job_logs(f"{job}-{size}-{count}", _TIMEOUT, protocol=protocol)  # type: ignore[arg-type]
            for line in stream:
                expected(line)
            assert stream.reconnects == 0

    async def async_tail(count: int, expected: _Expected) -> None:
        async with AsyncAgentClient(url, "t", stream_limits=StreamLimits.unlimited()) as client:
            stream = client.tail_job_logs(f"{job}-{size}-{count}", _TIMEOUT, protocol=protocol)  # type: ignore[arg-type]
            async for line in stream:
                expected(line)
            assert stream.reconnects == 0

    def tail(count: int, expected: _Expected) -> None:
        if backend == "sync":
            sync_tail(count, expected)
        else:
            asyncio.run(async_tail(count, expected))

    tail(20 * BLOCK, _Expected(size))
    expected = _Expected(size)
    memory = PeakMemory()
    started = time.perf_counter()
    tail(lines, expected)
    seconds = time.perf_counter() - started
    return {"lines": expected.count, "growth": memory.growth, "seconds": seconds}


async def crowd(url: str, protocol: str, tails: int, size: int, lines: int) -> dict[str, float]:
    """Many tails at once, none of which ends before all of them are there."""
    async with AsyncAgentClient(url, "t", stream_limits=StreamLimits.unlimited()) as client:

        async def tail(job_id: str, expected: _Expected) -> None:
            async for line in client.tail_job_logs(job_id, _TIMEOUT, protocol=protocol):  # type: ignore[arg-type]
                expected(line)

        await tail(f"bulk-{size}-{BLOCK}", _Expected(size))
        all_expected = [_Expected(size) for _ in range(tails)]
        memory = PeakMemory()
        started = time.perf_counter()
        await asyncio.gather(*(tail(f"crowd-{tails}-{size}-{lines}", expected) for expected in all_expected))
        seconds = time.perf_counter() - started
    counts: Iterable[int] = [expected.count for expected in all_expected]
    return {
        "fewest": min(counts),
        "most": max(counts),
        "per_tail": memory.growth / tails,
        "seconds": seconds,
    }


def main() -> None:
    raise_file_limit()
    url, what, *rest = sys.argv[1:]
    if what == "crowd":
        protocol, *numbers = rest
        result = asyncio.run(crowd(url, protocol, *map(int, numbers)))
    else:
        backend, protocol, *numbers = rest
        result = bulk(url, backend, protocol, what, *map(int, numbers))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
