"""`make soak`: runs seeds, and tells what became of them."""

from __future__ import annotations

import argparse
import sys
import time

from chaos.seeds import Outcome, run_seeds


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description="Tails through a proxy that breaks them.")
    parser.add_argument("--seeds", type=int, default=1_000, help="how many (default: %(default)s)")
    parser.add_argument("--start", type=int, default=0, help="the first one (default: %(default)s)")
    options = parser.parse_args()
    started = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in run_seeds(range(options.start, options.start + options.seeds)):
        outcomes.append(outcome)
        if not outcome.ok:
            print(f"{outcome}\n  again: make soak SEEDS=1 START={outcome.seed}", flush=True)
        if len(outcomes) % 100 == 0:
            print(summary(outcomes), flush=True)
    print(f"{summary(outcomes)} in {time.monotonic() - started:.0f} s")
    failed = sum(not outcome.ok for outcome in outcomes)
    print(f"{failed} failed" if failed else "none failed")
    return min(failed, 1)


def summary(outcomes: list[Outcome]) -> str:
    def total(name: str) -> int:
        return sum(getattr(outcome, name) for outcome in outcomes)

    return (
        f"{len(outcomes)} seeds: {total('cuts')} connections cut, {total('expected')} lines expected, "
        f"{total('lost')} lost, {total('repeated')} repeated"
    )


if __name__ == "__main__":
    sys.exit(main())
