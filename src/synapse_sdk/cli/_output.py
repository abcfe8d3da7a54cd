"""Answers on stdout: JSON for programs; tables and details for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from ._sanitize import one_line, printable
from ._terminal import interactive, stdout_console

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Column", "details", "fits", "json_line", "rich_table", "show", "show_json", "show_table"]

_GAP = 2
_STYLES = {
    "SUCCEEDED": "green",
    "FINISHED": "green",
    "RUNNING": "cyan",
    "ALIVE": "green",
    "HEALTHY": "green",
    "PENDING": "yellow",
    "DEPLOYING": "yellow",
    "STOPPED": "yellow",
    "FAILED": "bold red",
    "DEPLOY_FAILED": "bold red",
    "UNHEALTHY": "bold red",
    "DEAD": "bold red",
}


_T = TypeVar("_T")


class _Model(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Column(Generic[_T]):
    """A column of a table.

    Attributes:
        title: Its head.
        value: What it says of a row.
        right: Whether to align it to the right.
        cut: Whether it may be cut where the terminal is too narrow; one that is not is for copying.
    """

    title: str
    value: Callable[[_T], object]
    right: bool = False
    cut: bool = False


def show(answer: _Model, *, as_json: bool, facts: Mapping[str, object] | None = None) -> None:
    """Show one object: as JSON, or its fields one a line, or the `facts` instead."""
    raw = answer.to_dict()
    if as_json:
        show_json(raw)
    else:
        details(raw if facts is None else facts)


def show_json(value: object) -> None:
    """Write one JSON document."""
    sys.stdout.write(f"{_dumped(value, indent=2)}\n")


def json_line(value: object) -> str:
    """Return one line of JSON."""
    return _dumped(value, indent=None)


def _dumped(value: object, indent: int | None) -> str:
    # json.dumps writes ASCII only, which suits any locale, and escapes control characters.
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:  # an agent may send what JSON has no word for
        return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_finite(item) for item in cast("list[object]", value)]
    return value


def details(facts: Mapping[str, object]) -> None:
    """Show an object as `name: value` lines; what is unset is left out."""
    shown = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
    width = max((len(name) for name in shown), default=0) + 1
    for name, value in shown.items():
        if isinstance(value, str) and "\n" in value.strip():
            text = "".join(f"\n    {printable(line)}" for line in value.strip().split("\n"))
        else:
            text = json.dumps(value) if isinstance(value, (dict, list)) else one_line(value)
        sys.stdout.write(f"{one_line(name) + ':':<{width}} {text}\n")


def show_table(
    columns: Sequence[Column[_T]], rows: Iterable[_T], *, empty: str, as_json: bool = False
) -> None:
    """Show several objects: as a JSON array, or as a table.

    A pipe gets the same columns, neither coloured nor cut.

    Args:
        columns: The columns of the table.
        rows: The objects; models, if `as_json` may be set.
        empty: The notice for people where there are no rows.
        as_json: Whether to write JSON.
    """
    found = list(rows)
    if as_json:
        show_json([cast("_Model", row).to_dict() for row in found])
    elif not found:
        from ._terminal import note

        note(empty)
    elif interactive(sys.stdout) and fits(columns, found, (console := stdout_console()).width):
        console.print(rich_table(columns, found))
    else:
        _plain_table(columns, found)


def fits(columns: Sequence[Column[_T]], rows: Sequence[_T], width: int) -> bool:
    """Return whether the columns that must not be cut fit into `width` characters."""
    needed = sum(
        len(column.title)
        if column.cut
        else max(map(len, (column.title, *(_cell(column, row) for row in rows))))
        for column in columns
    )
    return needed + _GAP * (len(columns) - 1) <= width


def rich_table(columns: Sequence[Column[_T]], rows: Iterable[_T]) -> Table:
    """Return a table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column in columns:
        # Rich narrows the columns that may wrap. Their cells are cut, not wrapped.
        table.add_column(column.title, justify="right" if column.right else "left", no_wrap=not column.cut)
    for row in rows:
        cells = [_cell(column, row) for column in columns]
        # Text instead of str, so that a job's name in brackets is not taken for markup.
        table.add_row(
            *(Text(cell, style=_STYLES.get(cell, ""), no_wrap=True, overflow="ellipsis") for cell in cells)
        )
    return table


def _plain_table(columns: Sequence[Column[_T]], rows: Sequence[_T]) -> None:
    lines = [[column.title for column in columns]]
    lines += [[_cell(column, row) or "-" for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        cells = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _cell(column: Column[_T], row: _T) -> str:
    value = column.value(row)
    return "" if value is None else one_line(getattr(value, "value", value))
