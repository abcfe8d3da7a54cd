"""Imports inside the agent go down only: a module imports from its own layer's package or from below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import ROOT

AGENT = ROOT / "src" / "synapse_agent"

# From the ground up. A package is one unit; modules beside packages have their own names.
LAYERS = (
    {"process", "errors", "redaction", "options"},
    {"database", "http", "ray"},
    {"context", "tokens", "sockets"},
    {"plugins"},
    {"runs", "logs", "containers"},
    {"cluster", "ops"},
    {"auth", "routes"},
    {"app"},
    {"server", "token_commands"},
    {"__main__"},
)
ORDER = {unit: number for number, layer in enumerate(LAYERS) for unit in layer}


def unit_of(path: Path) -> str:
    return path.relative_to(AGENT).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Return the units that a module imports, wherever in it."""
    package = ("synapse_agent", *path.relative_to(AGENT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                parts = (*base, *name.split("."))[1:]
                yield parts[0]


def modules() -> list[Path]:
    return [path for path in sorted(AGENT.rglob("*.py")) if "_pyinstaller" not in path.parts]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(AGENT)))
def test_imports_go_down(path: Path) -> None:
    here = unit_of(path)
    if here == "__init__":
        return
    up = {unit for unit in set(imported(path)) - {"__version__", here} if ORDER[unit] >= ORDER[here]}
    assert up == set()
