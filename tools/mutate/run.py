"""Try mutants: run the tests that run the changed line, the quickest ones first, until one fails."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .mutations import Mutant, mutants_of

ROOT = Path.cwd()
SOURCES = ("src/synapse_sdk/streaming", "src/synapse_sdk/_rest", "src/synapse_agent/logs")
CACHE = Path(".cache/mutate")
RECORD = CACHE / "record.json"
_QUICKEST = 40
# Tests of the function that killed a mutant before.
_AGAIN = 6
# Seconds of tests for one mutant, by the record.
_MOST = 15.0


@dataclass
class Result:
    key: str
    package: str
    killed: bool
    by: str
    """The test that failed, or why none could."""
    seconds: float
    tests: int


class Record:
    """The tests that run each line, and their times."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.seconds: dict[str, float] = {}
        self.tests: dict[str, dict[int, set[str]]] = {}
        for part in content["parts"]:
            names = [name for name, _ in part["tests"]]
            self.seconds |= dict(part["tests"])
            for file, lines in part["lines"].items():
                found = self.tests.setdefault(file, {})
                for line, numbers in lines.items():
                    found.setdefault(int(line), set()).update(names[number] for number in numbers)

    def tests_of(self, mutant: Mutant, killer: str = "") -> list[str]:
        """Return the tests to run, the quickest first, then one of each function, then the rest.

        What killed the mutant in another run, or its function by now, goes before all others.
        """
        lines = self.tests.get(mutant.path, {})
        here = [lines[line] for line in range(mutant.line, mutant.last_line + 1) if line in lines]
        found = set().union(*here)
        if here and not found:
            # The line runs at import only: whatever test uses the module.
            found = set().union(*lines.values())
        ordered = sorted(found, key=lambda name: (self.seconds[name], name))
        quickest, rest = ordered[:_QUICKEST], ordered[_QUICKEST:]
        functions = {name.partition("[")[0] for name in quickest}
        first = []
        for name in rest:
            if (function := name.partition("[")[0]) not in functions:
                functions.add(function)
                first.append(name)
        function = killer.partition("[")[0]
        again = [name for name in ordered if function and name.partition("[")[0] == function][:_AGAIN]
        chosen: list[str] = []
        total = 0.0
        for name in dict.fromkeys([*again, *quickest, *first, *rest]):
            total += self.seconds[name]
            if total > _MOST and len(chosen) >= _QUICKEST:
                break
            chosen.append(name)
        return chosen


def record(tests: Sequence[str]) -> int:
    """Run the tests once; write which lines each of them runs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    part = CACHE / "part.json"
    environment = _environment() | {"MUTATE_RECORD": str(part)}
    command = [sys.executable, "-m", "pytest", "-p", "tools.mutate.recorder", "-p", "no:cacheprovider", "-q"]
    command += ["-m", "not ray and not containers and not heavy", *tests]
    code = subprocess.run(command, check=False, env=environment).returncode
    RECORD.write_text(json.dumps({"parts": [json.loads(part.read_text())]}))
    return code


def choose(count: int, seed: int) -> list[Mutant]:
    """Return mutants of each package, as many as its share of lines."""
    of_package = {
        source: [
            mutant
            for file in sorted((ROOT / source).rglob("*.py"))
            for mutant in mutants_of(ROOT, str(file.relative_to(ROOT)))
        ]
        for source in SOURCES
    }
    total = sum(map(len, of_package.values()))
    chosen: list[Mutant] = []
    for mutants in of_package.values():
        share = round(count * len(mutants) / total)
        chosen += random.Random(seed).sample(mutants, min(share, len(mutants)))
    return chosen


def run(
    mutants: Sequence[Mutant], recorded: Record, workers: int, killers: Mapping[str, str]
) -> list[Result]:
    """Try the mutants, shared out among the workers, each a run of pytest that forks for each mutant."""
    tests = {mutant.key: recorded.tests_of(mutant, killers.get(mutant.key, "")) for mutant in mutants}
    todo = [mutant for mutant in mutants if tests[mutant.key]]
    with tempfile.TemporaryDirectory(prefix="synapse-mutate-") as directory:
        processes, lines = [], Path(directory) / "results"
        lines.touch()
        files = sorted({test.partition("::")[0] for mutant in todo for test in tests[mutant.key]})
        for number in range(workers):
            work = Path(directory) / f"work-{number}"
            work.write_text(
                json.dumps(
                    [
                        {
                            "key": mutant.key,
                            "path": mutant.path,
                            "text": mutant.applied_to((ROOT / mutant.path).read_bytes()).decode(),
                            "tests": tests[mutant.key],
                            "seconds": {test: recorded.seconds[test] for test in tests[mutant.key]},
                        }
                        for mutant in todo[number::workers]
                    ]
                )
            )
            environment = _environment() | {"MUTATE_WORK": str(work), "MUTATE_RESULTS": str(lines)}
            command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
            command += ["-p", "tools.mutate.worker", *files]
            output = (Path(directory) / f"output-{number}").open("w")
            processes.append(
                subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
            )
        _watch(processes, lines, len(todo))
        results = _read(lines.read_text())
    return [
        Result(mutant.key, _package(mutant), *results[mutant.key], len(tests[mutant.key]))
        if tests[mutant.key]
        else Result(mutant.key, _package(mutant), False, "no test runs this line", 0.0, 0)
        for mutant in mutants
    ]


def _watch(processes: Sequence[subprocess.Popen[bytes]], lines: Path, count: int) -> None:
    """Wait for the workers, and print each result as it comes."""
    position = 0
    with lines.open() as file:
        while True:
            running = any(process.poll() is None for process in processes)
            for line in file:
                found = json.loads(line)
                if "status" in found:
                    position += 1
                    verdict = "killed" if found["status"] else "SURVIVED"
                    print(
                        f"{position}/{count} {verdict} in {found['took']:.1f} s: {found['key']}", flush=True
                    )
            if not running:
                break
            time.sleep(0.5)
    if position != count:
        sys.exit(f"{count - position} mutants were not tried: a worker ended too soon")


def _read(text: str) -> dict[str, tuple[bool, str, float]]:
    """Return of each mutant whether it was killed, by which test, and how long it took."""
    last: dict[str, str] = {}
    results = {}
    for line in text.splitlines():
        found = json.loads(line)
        if "runs" in found:
            last[found["key"]] = found["runs"]
        else:
            killed = found["status"] != 0
            by = last.get(found["key"], "before the first test") if killed else "every test passes"
            results[found["key"]] = (killed, by, found["took"])
    return results


def _package(mutant: Mutant) -> str:
    return next(source for source in SOURCES if mutant.path.startswith(source))


def _environment() -> dict[str, str]:
    path = os.pathsep.join(str(ROOT / name) for name in ("src", "generated", ""))
    return os.environ | {"PYTHONPATH": path, "MUTATE_SOURCES": ":".join(SOURCES)}


def save(results: Sequence[Result], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
