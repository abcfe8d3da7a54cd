"""Runs rows: the contenders in turn, in alternating rounds, each run a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks._agent import Agent, AgentError, running_agent
from benchmarks._environments import ROOT, Environments, clean_environment
from benchmarks._payloads import log_named
from benchmarks._rows import OURS, Contender, Row

__all__ = ["Sample", "WorkerError", "absent", "replay_server", "run", "turns"]

Sample = dict[str, float]
WORKERS = ROOT / "benchmarks" / "workers"
TIMEOUT = 180

IMPORT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import {module}
print('{{"wall": %r, "cpu": %r}}' % (time.perf_counter() - wall, time.process_time() - cpu))
"""


class WorkerError(Exception):
    """A contender failed; the text says how."""


def turns(contenders: Sequence[Contender], round_number: int) -> list[Contender]:
    """The order of one round: each round begins with another, so that nobody always follows the same."""
    start = round_number % len(contenders)
    order = [*contenders[start:], *contenders[:start]]
    return order if round_number % 2 == 0 else order[::-1]


def absent(contender: Contender, environments: Environments) -> str | None:
    """Why a contender can't run here, or None."""
    for name in (contender.environment, contender.needs):
        if name in environments.missing:
            return f"{name} can't be installed: {environments.missing[name]}"
    if contender.program == "peer_stock.py" and "generator" in environments.missing:
        return f"its generator can't be installed: {environments.missing['generator']}"
    if contender.needs and contender.needs not in environments.versions.get(contender.environment, {}):
        return f"{contender.needs} is not installed"
    return None


@contextmanager
def replay_server(python: str | Path, logs: Sequence[str]) -> Iterator[str]:
    """A replay server in a process of its own; its URL."""
    with subprocess.Popen(
        [str(python), str(ROOT / "benchmarks" / "_replay_server.py"), *logs],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.stdin.close()
            process.wait(10)


def run(
    rows: Sequence[Row], rounds: int, environments: Environments, done: Callable[[Row, dict[str, Any]], None]
) -> None:
    """Run rows, and tell what came of each: `rounds`, a list of samples by contender, and `absent`."""
    with ExitStack() as stack:
        replaying = [row for row in rows if not row.key.startswith("agent")]
        url = ""
        if replaying:
            logs = {row.log for row in replaying if row.log and not row.log.startswith("paced")}
            url = stack.enter_context(replay_server(environments.base, sorted(logs)))
        for row in replaying:
            done(
                row, _rounds(row, rounds, environments, lambda row, who: _sample(row, who, url, environments))
            )
    serving = [row for row in rows if row.key.startswith("agent")]
    if not serving:
        return
    if why := environments.missing.get("agent"):
        for row in serving:
            done(row, {"rounds": [], "absent": {OURS: f"the agent can't be installed: {why}"}})
        return
    try:
        with running_agent(environments.python("agent")) as agent:
            for row in serving:
                done(
                    row,
                    _rounds(
                        row, rounds, environments, lambda row, _: _agent_sample(row, agent, environments)
                    ),
                )
    except AgentError as error:
        for row in serving:
            done(row, {"rounds": [], "absent": {OURS: str(error)}})


def _rounds(
    row: Row, rounds: int, environments: Environments, sample: Callable[[Row, Contender], Sample]
) -> dict[str, Any]:
    missing = {who.name: why for who in row.contenders if (why := absent(who, environments))}
    able = [who for who in row.contenders if who.name not in missing]
    taken: list[dict[str, Sample]] = []
    for number in range(min(rounds, row.rounds or rounds)):
        samples: dict[str, Sample] = {}
        for who in turns(able, number):
            if who.name in missing:
                continue
            try:
                samples[who.name] = sample(row, who)
            except (AgentError, WorkerError) as error:
                missing[who.name] = str(error)
                print(f"! {row.key}, {who.name}: {error}", file=sys.stderr, flush=True)
        taken.append(samples)
    return {"items": row.items, "rounds": taken, "absent": missing}


def _sample(row: Row, who: Contender, url: str, environments: Environments) -> Sample:
    if row.key == "size":
        return _size(environments.packages(who.environment))
    python = environments.python(who.environment)
    if row.key == "import":
        command = [str(python), "-I", "-c", IMPORT.format(module=who.case)]
        # The least of several: whatever else the machine does can only add.
        samples = [json.loads(_output(command)) for _ in range(row.items)]
        return {metric: min(sample[metric] for sample in samples) for metric in ("wall", "cpu")}
    told: dict[str, Any] = {"url": url, "log": row.log, "items": row.items}
    if row.log and not row.log.startswith("paced"):
        told["characters"] = log_named(row.log).characters
    return _worker(python, who.program, who.case, told, STOCK_MODELS=str(environments.stock_models()))


def _agent_sample(row: Row, agent: Agent, environments: Environments) -> Sample:
    who = row.contenders[0]
    told: dict[str, Any] = {"url": agent.url, "token": agent.token, "items": row.items}
    if row.key == "agent-tails":
        told["log"], told["go"] = agent.live_job()
    else:
        told["log"] = agent.finished_job(row.items)
    before = agent.cpu()
    sample = _worker(environments.python("ours"), who.program, who.case, told)
    seconds = sample["wall"] * sample["items"]
    return sample | {
        "rate": 1 / sample["wall"],
        "agent share": (agent.cpu() - before) / seconds,
        "client share": sample["cpu"] / sample["wall"],
    }


def _worker(python: Path, program: str, case: str, told: dict[str, Any], **variables: str) -> Sample:
    command = [str(python), "-s", str(WORKERS / program), case, json.dumps(told)]
    measured: Sample = json.loads(_output(command, **variables).splitlines()[-1])
    return measured


def _output(command: list[str], **variables: str) -> str:
    environment = clean_environment() | {"PYTHONWARNINGS": "ignore"} | variables
    try:
        done = subprocess.run(
            command, env=environment, check=False, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise WorkerError(f"took more than {TIMEOUT} s") from None
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise WorkerError(words[-1][:300] if words else f"ended with status {done.returncode}")
    return done.stdout


def _size(packages: Path) -> Sample:
    """Bytes of all files of an environment but pip's own, which every environment has."""
    total = 0
    for path in packages.iterdir():
        if path.name == "pip" or path.name.startswith("pip-"):
            continue
        inside = path.rglob("*") if path.is_dir() else (path,)
        total += sum(file.lstat().st_size for file in inside if not file.is_dir())
    return {"size": total}
