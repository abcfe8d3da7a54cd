"""`make soak`: runs seeds, and tells what became of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from chaos.jobs import WRITES_AT_ONCE, WRITES_SLOWLY, run_job_seeds
from chaos.seeds import Background, Outcome, quick_reconnects, run_seeds

# Tails of one running job at a time.
_TAILS = 18


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make soak", description="Tails through a proxy that breaks their connections."
    )
    parser.add_argument("--seeds", type=int, default=1_000, help="how many (default: %(default)s)")
    parser.add_argument("--start", type=int, default=0, help="the first one (default: %(default)s)")
    parser.add_argument(
        "--ray",
        action="store_true",
        help="tail real jobs, one that is over and, for every other seed, one that runs, instead of a script",
    )
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="tail real jobs, and break what the agent asks of Ray instead of what clients ask of the agent",
    )
    options = parser.parse_args()
    seeds = range(options.start, options.start + options.seeds)
    started = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in (
        run_jobs(seeds) if options.ray else run_ray(seeds) if options.cluster else run_seeds(seeds)
    ):
        outcomes.append(outcome)
        if not outcome.ok:
            ray = "RAY=1 " if options.ray or options.cluster else ""
            print(f"{outcome}\n  again: make soak {ray}SEEDS=1 START={outcome.seed}", flush=True)
        if len(outcomes) % 100 == 0:
            print(summary(outcomes), flush=True)
    print(f"{summary(outcomes)}, in {time.monotonic() - started:.0f} s")
    if options.cluster:
        print(ways(outcomes))
    failed = sum(not outcome.ok for outcome in outcomes)
    print(f"{failed} failed" if failed else "none failed")
    return min(failed, 1)


def run_jobs(seeds: range) -> Iterator[Outcome]:
    # Only this way needs pytest's fixtures, whose module starts an agent as users do.
    from running_agent import running_agent

    with running_agent() as agent, Background() as background, quick_reconnects():
        agent.http.patch("resources/policy/", json={"max_concurrent_jobs": 0}).raise_for_status()
        over = agent.submit(WRITES_AT_ONCE)
        agent.wait(over)
        yield from run_job_seeds(
            agent, background, over, [seed for seed in seeds if seed % 2 == 0], span=100_000
        )
        odd = [seed for seed in seeds if seed % 2]
        for start in range(0, len(odd), _TAILS):
            running = agent.submit(WRITES_SLOWLY)
            group = odd[start : start + _TAILS]
            yield from run_job_seeds(agent, background, running, group, span=3_000, at_once=_TAILS)


def run_ray(seeds: range) -> Iterator[Outcome]:
    from ray_cluster import cluster_of

    from chaos.ray_seeds import run_ray_seeds

    with cluster_of() as cluster:
        yield from run_ray_seeds(cluster, seeds)


def summary(outcomes: list[Outcome]) -> str:
    def total(name: str) -> int:
        return sum(getattr(outcome, name) for outcome in outcomes)

    return (
        f"{len(outcomes)} seeds: {total('cuts')} connections cut, {total('expected')} lines expected, "
        f"{total('lost')} lost, {total('repeated')} repeated"
    )


def ways(outcomes: list[Outcome]) -> str:
    """Print how many of the seeds went each way, and how many of those were whole."""
    of: dict[str, list[bool]] = {}
    for outcome in outcomes:
        _, protocol, cluster, *_ = outcome.what.split(", ")
        of.setdefault(f"{cluster} {protocol}", []).append(outcome.ok)
    return "whole: " + ", ".join(f"{way} {sum(ok)} of {len(ok)}" for way, ok in sorted(of.items()))


if __name__ == "__main__":
    sys.exit(main())
