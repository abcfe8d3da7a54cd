"""See the package."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import __doc__ as documentation
from .run import CACHE, RECORD, SOURCES, Record, choose, record, run, save


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutate",
        description=documentation,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    recorded = commands.add_parser("record", help="run the tests; write which lines each of them runs")
    recorded.add_argument("tests", nargs="*", default=["tests"])
    tried = commands.add_parser("run", help="try the mutants")
    tried.add_argument("--mutants", type=int, default=320, metavar="N")
    tried.add_argument("--seed", type=int, default=1)
    tried.add_argument("--workers", type=int, default=2, metavar="N")
    tried.add_argument("--only", default="", metavar="TEXT", help="only mutants whose key contains this")
    tried.add_argument("--first", type=Path, metavar="RESULTS", help="first what killed in another run")
    tried.add_argument("--out", type=Path, default=CACHE / "results.json")
    compared = commands.add_parser("compare", help="print what one run killed and another didn't")
    compared.add_argument("before", type=Path)
    compared.add_argument("after", type=Path)
    options = parser.parse_args()
    if options.command == "record":
        return record(options.tests)
    if options.command == "compare":
        return compare(options.before, options.after)
    if not RECORD.exists():
        parser.error(f"{RECORD} is not there: run `python -m tools.mutate record` first")
    mutants = [m for m in choose(options.mutants, options.seed) if options.only in m.key]
    before = json.loads(options.first.read_text()) if options.first else []
    killers = {result["key"]: result["by"] for result in before if result["killed"]}
    results = run(mutants, Record(json.loads(RECORD.read_text())), options.workers, killers)
    save(results, options.out)
    for source in SOURCES:
        of_package = [result for result in results if result.package == source]
        print(f"{source:28} {sum(r.killed for r in of_package):4} killed of {len(of_package)}")
    return 0


def compare(before: Path, after: Path) -> int:
    """Print how many mutants each run killed, and those that only the first one did."""
    runs = [{result["key"]: result for result in json.loads(path.read_text())} for path in (before, after)]
    common = runs[0].keys() & runs[1].keys()
    print(f"{'':28} mutants  before  after")
    for source in SOURCES:
        keys = [key for key in common if runs[0][key]["package"] == source]
        killed = [sum(run[key]["killed"] for key in keys) for run in runs]
        print(f"{source:28} {len(keys):7} {killed[0]:7} {killed[1]:6}")
    lost = sorted(key for key in common if runs[0][key]["killed"] and not runs[1][key]["killed"])
    for key in lost:
        print(f"survives now: {key}\n    before: {runs[0][key]['by']}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
