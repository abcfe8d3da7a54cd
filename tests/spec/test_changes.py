"""The changes of changes.yaml: each break is seen, and what breaks nobody is left alone."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from checkout import ROOT
from ruamel.yaml import YAML
from tables import each_row

from tools.spec.diff.changes import Change
from tools.spec.diff.command import compare
from tools.spec.walk import METHODS

pytestmark = pytest.mark.slow

Document = dict[str, Any]
TABLE: Document = YAML(typ="safe").load(
    (ROOT / "tests" / "spec" / "changes.yaml").read_text(encoding="utf-8")
)
CHANGES = {change["name"]: change for change in TABLE["changes"]}


def place(document: Document, dotted: str) -> tuple[Any, Any]:
    """Return the object or list that holds what a dotted path names, and its key there."""
    first, *rest = dotted.split(".")
    operations = {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in METHODS
    }
    schemas = document["components"]["schemas"]
    parts = ["components", "schemas", first, *rest] if first in schemas else [first, *rest]
    holder: Any = document
    if first in operations:
        holder, parts = operations[first], rest
    for part in parts[:-1]:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    return holder, parts[-1]


def edited(document: Document, edits: Document) -> Document:
    """Return a copy of a document with the edits of one change made."""
    document = copy.deepcopy(document)
    for source, target in edits.get("move", {}).items():
        holder, key = place(document, source)
        value = holder.pop(key)
        holder, key = place(document, target)
        holder[key] = value
    for dotted in edits.get("remove", ()):
        holder, key = place(document, dotted)
        del holder[int(key) if isinstance(holder, list) else key]
    for dotted, value in edits.get("set", {}).items():
        holder, key = place(document, dotted)
        if key == "+":
            holder.append(copy.deepcopy(value))
        else:
            holder[int(key) if isinstance(holder, list) else key] = copy.deepcopy(value)
    # A schema or an operation that is replaced whole was an object of the base.
    plain: Document = json.loads(json.dumps(document))
    return plain


@cache
def pair(name: str) -> tuple[Document, Document]:
    change = CHANGES[name]
    old = edited(TABLE["base"], change.get("before", {}))
    return old, edited(old, change)


@cache
def compared(name: str) -> tuple[Change, ...]:
    return tuple(compare(*pair(name)))


@each_row("name", CHANGES)
def test_a_change_breaks_whom_it_breaks(name: str) -> None:
    change = CHANGES[name]
    found = compared(name)
    alarms = change.get("false_alarm", {})
    for side in ("wire", "python"):
        breaks = any(item.breaking for item in found if item.side == side)
        assert breaks == (change[side] == "breaking" or side in alarms), (side, found)


def test_no_change_goes_without_a_word() -> None:
    """Not even one that breaks nobody; where the server is does not count."""
    different = [name for name in CHANGES if pair(name)[0] != pair(name)[1]]
    assert [name for name in different if not compared(name)] == ["the server is another"]


def test_the_table() -> None:
    assert len(CHANGES) == len(TABLE["changes"]) >= 150
    assert {change[side] for change in CHANGES.values() for side in ("wire", "python")} == {"ok", "breaking"}
    alarms = [reason for change in CHANGES.values() for reason in change.get("false_alarm", {}).values()]
    assert len(alarms) <= 3
    assert all(alarms)
