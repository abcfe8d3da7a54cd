"""`make bench`: sets up what is needed, runs what was asked for, prints the table, draws the picture."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 - any python3 may have been told to run this
    sys.exit("Python 3.11 or newer is needed: make bench PYTHON=/path/to/python3.12")

from benchmarks._environments import CACHE, ROOT, Environments, base_python
from benchmarks._picture import picture
from benchmarks._report import report
from benchmarks._rows import ROWS, Row
from benchmarks._runner import run

RESULTS = CACHE / "results.json"
PICTURE = ROOT / "docs" / "benchmarks.svg"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(f"{row.key:20} {row.title}" for row in ROWS))
        return 0
    patterns = options.rows.replace(",", " ").split()
    rows = [row for row in ROWS if not patterns or any(fnmatchcase(row.key, one) for one in patterns)]
    if not rows:
        print(f"no row is called {options.rows!r}; `python -m benchmarks --list` names them", file=sys.stderr)
        return 2
    results = RESULTS.with_name("results-quick.json") if options.quick else RESULTS
    if not options.report:
        _measure([row.quick() for row in rows] if options.quick else rows, options, results)
    if not results.exists():
        print("nothing is measured yet: run `make bench`", file=sys.stderr)
        return 2
    stored = json.loads(results.read_text())
    print(report(rows, stored))
    # A tenth of the work is for trying things out, not for the docs.
    target = results.with_suffix(".svg") if options.quick else PICTURE
    target.parent.mkdir(exist_ok=True)
    target.write_text(picture(ROWS, stored))
    print(f"\nSamples: {results.relative_to(ROOT)}. Picture: {target.relative_to(ROOT)}.")
    return 0


def _measure(rows: Sequence[Row], options: argparse.Namespace, results: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    environments = Environments(base_python())
    names = {who.environment for row in rows for who in row.contenders}
    names |= (
        {"generator"}
        if any(who.program == "peer_stock.py" for row in rows for who in row.contenders)
        else set()
    )
    names |= {"agent"} if any(row.key.startswith("agent") for row in rows) else set()
    order = [name for name in ("ours", "peers", "generator", "published", "agent") if name in names]
    environments.prepare(order)

    stored: dict[str, Any] = {"rows": {}}
    if results.exists():
        stored = json.loads(results.read_text())
    stored |= {
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": _version(environments.base),
        "date": datetime.date.today().isoformat(),
        "versions": {**stored.get("versions", {}), **environments.versions},
    }
    began = time.monotonic()

    def done(row: Row, result: dict[str, Any]) -> None:
        stored["rows"][row.key] = result
        # After each row, so that a run that is cut short leaves what it has.
        results.write_text(json.dumps(stored, indent=1))
        print(f"{time.monotonic() - began:5.0f} s  {row.title}", flush=True)

    run(rows, options.rounds, environments, done)


def _version(python: str) -> str:
    program = "import platform; print(platform.python_version())"
    done = subprocess.run([python, "-I", "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure this SDK beside what one would use instead. The environments for it are made "
        "in .cache/bench; nothing outside of that, but the picture in docs, is changed.",
    )
    parser.add_argument(
        "--rows", default="", metavar="KEYS", help="only these rows; patterns such as 'ws*' are fine"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each row (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that all runs")
    parser.add_argument("--report", action="store_true", help="measure nothing; show what is stored")
    parser.add_argument("--list", action="store_true", help="name the rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
