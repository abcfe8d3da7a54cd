"""Show what the tests cover, package by package, and fail where that is too little.

    python scripts/coverage_report.py .cache/coverage/report.json

The file is what `coverage json` writes. `make coverage` runs the tests and both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

TOTAL = "together"
# Per cent of lines and branches, by package.
REQUIRED = {"synapse_sdk.streaming": 100.0, TOTAL: 95.0}


@dataclass
class Count:
    """Lines and branches, and how many of them no test reaches."""

    lines: int = 0
    lines_missing: int = 0
    branches: int = 0
    branches_missing: int = 0

    def add(self, summary: Mapping[str, Any]) -> None:
        self.lines += summary["num_statements"]
        self.lines_missing += summary["missing_lines"]
        self.branches += summary["num_branches"]
        self.branches_missing += summary["missing_branches"]

    @property
    def percent(self) -> float:
        missing = self.lines_missing + self.branches_missing
        return 100 * (1 - missing / max(1, self.lines + self.branches))

    def row(self, name: str) -> str:
        # Rounded down: what shows as 100 is all.
        shown = int(self.percent * 10) / 10
        return (
            f"{name:<24}{self.lines:>8}{self.lines_missing:>9}"
            f"{self.branches:>10}{self.branches_missing:>9}{shown:>8.1f} %"
        )


def package_of(path: str) -> str:
    folders = PurePosixPath(path.replace("\\", "/")).parent.parts
    start = next(index for index, folder in enumerate(folders) if folder.startswith("synapse_"))
    return ".".join(folders[start:])


def count(files: Mapping[str, Any]) -> dict[str, Count]:
    """Add the files of each package up; the last is all of them."""
    counts: dict[str, Count] = {}
    total = Count()
    for path, data in sorted(files.items()):
        counts.setdefault(package_of(path), Count()).add(data["summary"])
        total.add(data["summary"])
    return dict(sorted(counts.items())) | {TOTAL: total}


def main(report: str) -> int:
    counts = count(json.loads(Path(report).read_text())["files"])
    print(f"{'package':<24}{'lines':>8}{'missing':>9}{'branches':>10}{'missing':>9}{'covered':>10}")
    for name, counted in counts.items():
        print(counted.row(name))
    too_little = [
        f"{name}: {counts[name].percent:.2f} %, {required:g} % are needed"
        for name, required in REQUIRED.items()
        if name in counts and counts[name].percent < required
    ]
    for complaint in too_little:
        print(complaint, file=sys.stderr)
    return 1 if too_little else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
