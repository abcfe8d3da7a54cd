"""Every row of the table of failures has its tests."""

from __future__ import annotations

import importlib
from pathlib import Path

from tables import each_row

from .rows import ELSEWHERE, ROWS


def marked() -> dict[int, list[str]]:
    """The tests of this folder by the rows they are marked with."""
    tests: dict[int, list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f".{path.stem}", __package__)
        for name, test in vars(module).items():
            if name.startswith("test_"):
                for mark in getattr(test, "pytestmark", []):
                    if mark.name == "row":
                        tests.setdefault(mark.kwargs["number"], []).append(f"{path.stem}.{name}")
    return tests


def test_the_table_is_whole() -> None:
    assert list(ROWS) == list(range(1, 48))
    assert ELSEWHERE.keys() < ROWS.keys()


@each_row("number", [number for number in ROWS if number not in ELSEWHERE])
def test_a_row_has_its_tests(number: int) -> None:
    assert marked().get(number), f"no test is marked with row {number}: {ROWS[number]}"
