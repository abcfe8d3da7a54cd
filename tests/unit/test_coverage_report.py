"""`make coverage`: the table it ends with, and what it lets pass."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT


def file(lines: int, missing: int = 0, branches: int = 0, partial: int = 0) -> dict[str, dict[str, int]]:
    summary = {"num_statements": lines, "missing_lines": missing}
    return {"summary": summary | {"num_branches": branches, "missing_branches": partial}}


def report(tmp_path: Path, files: dict[str, dict[str, dict[str, int]]]) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"files": files}))
    command = [sys.executable, str(ROOT / "scripts" / "coverage_report.py"), str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_table_by_package(tmp_path: Path) -> None:
    files = {
        "src/synapse_sdk/__init__.py": file(10),
        "src/synapse_sdk/streaming/_a.py": file(20, 0, 10),
        "src/synapse_sdk/streaming/_b.py": file(30, 0, 20),
        "src/synapse_agent/_c.py": file(40, 1, 20, 2),
    }
    done = report(tmp_path, files)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["package", "lines", "missing", "branches", "missing", "covered"],
        ["synapse_agent", "40", "1", "20", "2", "95.0", "%"],
        ["synapse_sdk", "10", "0", "0", "0", "100.0", "%"],
        ["synapse_sdk.streaming", "50", "0", "30", "0", "100.0", "%"],
        ["together", "100", "1", "50", "2", "98.0", "%"],
    ]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", [{"missing": 1}, {"partial": 1}])
def test_a_single_line_or_branch_of_streaming_is_too_much(tmp_path: Path, missing: dict[str, int]) -> None:
    done = report(tmp_path, {"src/synapse_sdk/streaming/_a.py": file(9_000, branches=999, **missing)})
    assert done.returncode == 1
    assert " 99.9 %" in done.stdout
    assert done.stderr == "synapse_sdk.streaming: 99.99 %, 100 % are needed\n"


def test_less_than_95_of_100_is_too_little(tmp_path: Path) -> None:
    done = report(tmp_path, {"src/synapse_agent/_a.py": file(60, 3, 40, 2)})
    assert (done.returncode, done.stderr) == (0, "")
    done = report(tmp_path, {"src/synapse_agent/_a.py": file(60, 3, 40, 3)})
    assert done.returncode == 1
    assert done.stderr == "together: 94.00 %, 95 % are needed\n"
