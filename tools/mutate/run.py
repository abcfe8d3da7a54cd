"""Try mutants: run the tests that run the changed line, the quickest ones first, until one fails."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from .mutations import Mutant, mutants_of

ROOT = Path.cwd()
SOURCES = ("src/synapse_sdk/streaming", "src/synapse_sdk/_rest", "src/synapse_agent/logs")
CACHE = Path(".cache/mutate")
RECORD = CACHE / "record.json"
_COPIED = ("examples", "generated", "pyproject.toml", "spec", "src", "templates", "tests", "tools")
_QUICKEST = 40
# Seconds of tests for one mutant, by the record.
_MOST = 60.0
# Seconds without a test's end until a mutant counts as one that hangs.
_HANG = "30"
_HANGS = """
import faulthandler, os, pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol():
    faulthandler.dump_traceback_later(float(os.environ["MUTATE_HANG"]), exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
"""


@dataclass
class Result:
    key: str
    package: str
    killed: bool
    by: str
    """The test that failed, or why none could."""
    tests: int
    seconds: float


class Record:
    """Which tests run which line, and how long they take."""

    def __init__(self, content: dict) -> None:
        self.seconds: dict[str, float] = {}
        self.tests: dict[str, dict[int, set[str]]] = {}
        for part in content["parts"]:
            names = [name for name, _ in part["tests"]]
            self.seconds |= dict(part["tests"])
            for file, lines in part["lines"].items():
                found = self.tests.setdefault(file, {})
                for line, numbers in lines.items():
                    found.setdefault(int(line), set()).update(names[number] for number in numbers)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests to run, the quickest first, then one of each function, then the rest."""
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
        chosen, total = [], 0.0
        for name in dict.fromkeys([*quickest, *first, *rest]):
            total += self.seconds[name]
            if total > _MOST and len(chosen) >= _QUICKEST:
                break
            chosen.append(name)
        return chosen


def record(tests: Sequence[str]) -> int:
    """Run the tests once; write which lines each of them runs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    part = CACHE / "part.json"
    environment = _environment(ROOT) | {"MUTATE_SOURCES": ":".join(SOURCES), "MUTATE_RECORD": str(part)}
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


def run(mutants: Sequence[Mutant], recorded: Record, workers: int) -> list[Result]:
    results: list[Result] = []
    with _copies(workers) as copies, ThreadPoolExecutor(workers) as threads:
        free: SimpleQueue[Path] = SimpleQueue()
        for copy in copies:
            free.put(copy)

        def attempt(mutant: Mutant) -> Result:
            copy = free.get()
            try:
                return _try(mutant, recorded.tests_of(mutant), copy)
            finally:
                free.put(copy)

        for number, result in enumerate(threads.map(attempt, mutants), 1):
            results.append(result)
            verdict = "killed" if result.killed else "SURVIVED"
            print(
                f"{number}/{len(mutants)} {verdict} {result.seconds:.1f} s {result.key}: {result.by}",
                flush=True,
            )
    return results


def save(results: Sequence[Result], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


def _try(mutant: Mutant, tests: Sequence[str], copy: Path) -> Result:
    package = next(source for source in SOURCES if mutant.path.startswith(source))
    began = time.monotonic()
    killed, by = False, "no test runs this line" if not tests else "every test passes"
    path = copy / mutant.path
    content = path.read_bytes()
    path.write_bytes(mutant.applied_to(content))
    try:
        for some in (tests[:_QUICKEST], tests[_QUICKEST:]):
            if some and (failed := _failing(some, copy)):
                killed, by = True, failed
                break
    finally:
        path.write_bytes(content)
    return Result(mutant.key, package, killed, by, len(tests), round(time.monotonic() - began, 2))


def _failing(tests: Sequence[str], copy: Path) -> str | None:
    """Return what failed."""
    (copy / "tests-to-run").write_text("\n".join(tests))
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "--tb=no",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-p", "mutate_hangs", "@tests-to-run"]
    done = subprocess.run(
        command,
        check=False,
        cwd=copy,
        env=_environment(copy) | {"MUTATE_HANG": _HANG},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=lambda: os.nice(5),
    )
    if done.returncode == 0:
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "SUBFAILED"))]
    if lines:
        return lines[0].partition(" - ")[0]
    return "hangs" if "Timeout (" in done.stdout else f"pytest exits with {done.returncode}"


def _environment(root: Path) -> dict[str, str]:
    path = os.pathsep.join(str(root / name) for name in ("src", "generated", ""))
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def _copies(count: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="synapse-mutate-") as directory:
        copies = [Path(directory) / str(number) for number in range(count)]
        for copy in copies:
            for name in _COPIED:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    copy.mkdir(exist_ok=True)
                    shutil.copy(source, copy / name)
            (copy / "mutate_hangs.py").write_text(_HANGS)
        yield copies
