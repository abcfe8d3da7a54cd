"""Tests that walk a table: one test with a subtest for each row, so that every row that fails is reported.

    @each_row(("text", "number"), [("1", 1), ("0x10", 16)])
    def test_numbers(text, number): ...

It reads like `pytest.mark.parametrize`, but the rows share the fixtures of the test. Where a row needs one of
its own, or is slow enough to be run by itself, parametrize.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import pytest

__all__ = ["each_row"]

Test = Callable[..., Any]


def each_row(
    names: str | Sequence[str],
    rows: Iterable[Any],
    ids: Callable[[Any], object] | Iterable[object] | None = None,
) -> Callable[[Test], Test]:
    """Run a test once for each row; with several tables, once for each combination of their rows."""
    columns = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    # As for parametrize: the rows of a single column, named by a string, are the values themselves.
    bare = isinstance(names, str) and len(columns) == 1
    table = list(_named(columns, [(row,) if bare and not _is_param(row) else row for row in rows], ids))

    def decorate(function: Test) -> Test:
        test, tables = getattr(function, "_table", (function, []))
        tables = [table, *tables]
        parameters = dict(inspect.signature(function).parameters)
        for column in columns:
            del parameters[column]
        wants_subtests = "subtests" in inspect.signature(test).parameters

        def walk(*args: Any, subtests: pytest.Subtests, **fixtures: Any) -> None:
            for combination in product(*tables):
                with subtests.test("-".join(name for name, _ in combination)):
                    values = fixtures.copy()
                    for _, row in combination:
                        values |= row
                    test(*args, **values)

        assert not wants_subtests, "a test that walks a table has subtests already"
        # Not functools.wraps, which copies attributes too: hypothesis would take it for a test of its own.
        for name in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(walk, name, getattr(function, name))
        walk.pytestmark = getattr(function, "pytestmark", [])  # type: ignore[attr-defined]
        parameters.setdefault("subtests", inspect.Parameter("subtests", inspect.Parameter.KEYWORD_ONLY))
        walk.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
        walk.__wrapped__ = test  # type: ignore[attr-defined]
        walk._table = (test, tables)  # type: ignore[attr-defined]
        return walk

    return decorate


def _named(
    columns: Sequence[str], rows: Sequence[Any], ids: Callable[[Any], object] | Iterable[object] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each row as its name and its values by column."""
    names = None if ids is None or callable(ids) else list(ids)
    for number, row in enumerate(rows):
        name: object = None
        values = row
        if _is_param(row):
            assert not row.marks, "a row has no marks of its own"
            name, values = row.id, row.values
        if len(values) != len(columns):
            raise ValueError(f"row {number} has {len(values)} values for {len(columns)} columns: {row!r}")
        if name is None and names is not None:
            name = names[number]
        if name is None:
            name = "-".join(str(ids(value) if callable(ids) else _short(value)) for value in values)
        yield str(name), dict(zip(columns, values, strict=True))


def _is_param(row: Any) -> bool:
    return isinstance(row, type(pytest.param()))


def _short(value: Any) -> str:
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
