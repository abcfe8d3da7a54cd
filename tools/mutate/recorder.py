"""A pytest plugin: note which lines of which files each test runs in this process, and how long it takes.

Needs MUTATE_SOURCES (folders, separated by colons) and MUTATE_RECORD (the file to write).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

_coverage = coverage.Coverage(
    data_file=None, config_file=False, source=os.environ["MUTATE_SOURCES"].split(":"), messages=False
)
_seconds: dict[str, float] = {}
_failed: set[str] = set()
# Before conftest.py imports what is to be measured.
_coverage.start()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _coverage.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        _coverage.switch_context("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # The test's own report has the time of its rows in it.
    if not isinstance(report, pytest.SubtestReport):
        _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration
    if report.failed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    _coverage.stop()
    data = _coverage.get_data()
    root = Path.cwd()
    names = sorted(set(_seconds) - _failed)
    numbers = {name: number for number, name in enumerate(names)}
    lines: dict[str, dict[int, list[int]]] = {}
    for file in data.measured_files():
        lines[str(Path(file).relative_to(root))] = {
            line: sorted(numbers[name] for name in contexts if name in numbers)
            for line, contexts in data.contexts_by_lineno(file).items()
        }
    record = {"tests": [[name, round(_seconds[name], 4)] for name in names], "lines": lines}
    Path(os.environ["MUTATE_RECORD"]).write_text(json.dumps(record))
