"""Each operation and query parameter of the spec has its place in the agent and in the fake agent.

These tests only look for names, so that a missing piece is reported in seconds, with the file to edit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT

AGENT = ROOT / "src" / "synapse_agent"
ROUTES = AGENT / "routes.py"
FAKE = ROOT / "src" / "synapse_sdk" / "testing"
ANSWERS = FAKE / "_answers"
STEPS = 'CONTRIBUTING.md has the steps: "Add a query parameter", "Add an endpoint"'


def operations() -> Iterator[tuple[str, list[str]]]:
    """Yield each operation of the spec with its query parameters."""
    spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text("utf-8"))
    for item in spec["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                parameters = [resolved(spec, one) for one in operation.get("parameters", ())]
                yield operation["operationId"], [one["name"] for one in parameters if one["in"] == "query"]


def resolved(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    name = node.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = spec["components"]["parameters"][name] if name else node
    return found


@cache
def words(folder: Path) -> frozenset[str]:
    """Return every string and name in the Python files of a folder, or in one file."""
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.py"))
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(strings | {node.arg for node in nodes if isinstance(node, ast.arg)})


OPERATIONS = dict(operations())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_has_a_route_and_an_answer(operation: str) -> None:
    assert operation in words(ROUTES), f"the agent has no route for {operation}: edit {ROUTES}; {STEPS}"
    assert operation in words(ANSWERS), (
        f'the fake agent does not answer {operation}: write a function with @answers("{operation}") in'
        f" {ANSWERS}; {STEPS}"
    )


@pytest.mark.parametrize(
    ("operation", "name"), [(operation, name) for operation, names in OPERATIONS.items() for name in names]
)
def test_query_parameter_is_read(operation: str, name: str) -> None:
    wanted = f"reads the query parameter {name} of {operation}"
    assert name in words(AGENT), f"nothing in {AGENT} {wanted}: its handler is in {ROUTES}; {STEPS}"
    assert name in words(FAKE), f"nothing in {FAKE} {wanted}: its function is in {ANSWERS}; {STEPS}"
