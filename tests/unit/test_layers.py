"""Imports lead downwards only: from the public packages to the ground floor, and never in a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from checkout import ROOT

SRC = ROOT / "src"

# From the bottom to the top. A package may import its own modules and those of the lines before it.
SDK = [
    {"_exceptions", "_validation", "_limits", "_redaction", "_family", "_retry", "_base_url", "_config"},
    {"_http"},
    {"long_poll"},
    {"_rest"},
    {"streaming"},
    {"clients", "utils"},
    {"cli"},
    {"testing"},
]


def imports(path: Path) -> set[str]:
    """Return the modules of this repository that a file imports, also within functions or for types."""
    package = path.relative_to(SRC).parent.parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if source(inner) is not None else base)
    return {name for name in found if source(name) is not None}


def source(module: str) -> Path | None:
    path = SRC.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.exists()), None)


def graph(package: str) -> dict[str, set[str]]:
    """Return what each module of a package imports."""
    modules: dict[str, set[str]] = {}
    for path in sorted((SRC / package).rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = imports(path) - {name}
    return modules


def test_imports_lead_downwards() -> None:
    rank = {name: number for number, names in enumerate(SDK) for name in names}
    upwards = [
        f"{module} imports {imported}"
        for module, names in graph("synapse_sdk").items()
        for imported in names
        if module != "synapse_sdk" and imported.startswith("synapse_sdk.")
        if rank[imported.split(".")[1]] > rank[module.split(".")[1]]
    ]
    assert upwards == []


@pytest.mark.parametrize("package", ["synapse_agent", "synapse_sdk"])
def test_imports_have_no_cycles(package: str) -> None:
    try:
        TopologicalSorter(graph(package)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_packages_are_all_there() -> None:
    found = {path.stem for path in (SRC / "synapse_sdk").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__init__", "__pycache__", "py"} == set().union(*SDK)
