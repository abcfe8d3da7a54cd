"""Connections that break at random bytes cost no line and repeat none.

`make soak SEEDS=5000` runs more of it, `make soak SEEDS=1 START=17` seed 17 alone.
"""

from __future__ import annotations

import random

import pytest

from chaos.plan import Plan
from chaos.seeds import Background, quick_reconnects, run_seed, run_seeds

pytestmark = pytest.mark.slow

SEEDS, AT_A_TIME = 200, 20


@pytest.mark.parametrize("start", range(0, SEEDS, AT_A_TIME))
def test_a_tail_through_a_breaking_network_is_whole(start: int) -> None:
    outcomes = list(run_seeds(range(start, start + AT_A_TIME)))
    failed = [
        f"{outcome}\n  again: make soak SEEDS=1 START={outcome.seed}"
        for outcome in outcomes
        if not outcome.ok
    ]
    assert not failed, "\n".join(failed)
    # Were nothing cut, nothing would be shown by this.
    assert sum(outcome.cuts for outcome in outcomes) >= AT_A_TIME


def test_a_seed_cuts_at_the_same_bytes_again() -> None:
    # One without stalls, so that nothing depends on how busy the machine is.
    def is_quick(seed: int) -> bool:
        with_plan = run_plans[seed]
        return len(with_plan.cuts) >= 8 and all(cut.how in ("rst", "fin", "close") for cut in with_plan.cuts)

    run_plans = {seed: Plan.draw(random.Random(seed), 8, span=5_000) for seed in range(500)}
    seed = next(filter(is_quick, run_plans))
    plan = run_plans[seed]
    with Background() as background, quick_reconnects():
        first = run_seed(seed, background, plan=plan)
        second = run_seed(seed, background, plan=plan)
    assert first.done == second.done
    assert first.cuts >= 5
