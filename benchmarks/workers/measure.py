"""What all workers share: one case is run, and what it took is printed as one line of JSON."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

__all__ = [
    "Job",
    "Measured",
    "Stopwatch",
    "counted",
    "delays",
    "main",
    "memory_of",
    "peak_memory",
    "read",
    "repeated",
    "repeated_async",
]

WARM_UP = "lines130-2000"


class Job:
    """What is to be done: where the server is, which log, how many items."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.url: str = told["url"]
        self.log: str = told.get("log", "")
        self.items: int = told.get("items", 0)
        self.characters: int = told.get("characters", 0)
        self.token: str = told.get("token", "token")
        self.go: str = told.get("go", "")

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    @property
    def ws_url(self) -> str:
        return "ws" + self.url.removeprefix("http")


Measured = dict[str, float]


class Stopwatch:
    """CPU time of this process, all its threads and the kernel's work for it, and wall time."""

    def __init__(self) -> None:
        self.cpu = time.process_time()
        self.wall = time.perf_counter()

    def stop(self, items: int) -> Measured:
        """Seconds an item since this was made."""
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        return {"cpu": cpu / items, "wall": wall / items, "items": items}


def counted(watch: Stopwatch, job: Job, lines: int, characters: int) -> Measured:
    """Stop; and refuse the measurement if the log did not arrive whole."""
    measured = watch.stop(lines)
    if (lines, characters) != (job.items, job.characters):
        sys.exit(f"got {lines} lines with {characters} characters, not {job.items} with {job.characters}")
    return measured


def delays(nanoseconds: list[int]) -> Measured:
    """The delay of a line behind its writing."""
    ordered = sorted(nanoseconds)
    return {
        "p50": statistics.median(ordered) / 1e9,
        "p99": ordered[int(len(ordered) * 0.99)] / 1e9,
        "items": len(ordered),
    }


def repeated(job: Job, call: Callable[[], object], *, warm_up: int = 50) -> Measured:
    """Call again and again, one after the other."""
    for _ in range(warm_up):
        call()
    watch = Stopwatch()
    for _ in range(job.items):
        call()
    return watch.stop(job.items)


async def repeated_async(job: Job, call: Callable[[], Awaitable[object]], at_once: int = 1) -> Measured:
    """Call again and again, so many at once."""

    async def once() -> None:
        if at_once == 1:
            await call()
        else:
            await asyncio.gather(*(call() for _ in range(at_once)))

    for _ in range(50 if at_once == 1 else 2):
        await once()
    watch = Stopwatch()
    for _ in range(job.items // at_once):
        await once()
    return watch.stop(job.items // at_once * at_once)


def read(tasks: list[Any]) -> list[Any]:
    """Use two typed fields of each, so that nobody gets away with putting off the work."""
    for task in tasks:
        if not task.name or task.state is None:
            sys.exit("a task lacks its name or state")
    return tasks


def memory_of(make: Callable[[], object]) -> Measured:
    """Bytes that the result of a call takes, by tracemalloc; what the call itself needs is not counted."""
    import tracemalloc

    make()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = make()
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    del result
    return {"memory": taken}


def peak_memory() -> int:
    """Bytes of memory that this process had at most; ru_maxrss would count what its parent had, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main(cases: dict[str, Callable[[Job], Any]]) -> None:
    """Run the case that the command line names and print what it took."""
    case, told = sys.argv[1], json.loads(sys.argv[2])
    measured = cases[case](Job(told))
    if inspect.isawaitable(measured):

        async def wait() -> Measured:
            return await pending

        pending = measured
        measured = asyncio.run(wait())
    measured["peak"] = peak_memory()
    print(json.dumps(measured))
