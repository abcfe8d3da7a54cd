"""Running the programs under test as a user would: this checkout's, or installed ones (`--installed`)."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["ROOT", "environment", "python_path", "under_test"]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"synapse_sdk": "src", "synapse_agent": "src", "synapse_agent_api": "generated"}


def under_test() -> dict[str, Path]:
    """The folder that each package is imported from."""
    specs = {name: find_spec(name) for name in PACKAGES}
    return {name: Path(spec.origin).parent for name, spec in specs.items() if spec and spec.origin}


def python_path(*more: Path) -> dict[str, str]:
    """Let a child import what its parent does: this checkout's packages, unless installed ones are tested."""
    found = under_test()
    ours = [ROOT / folder for name, folder in PACKAGES.items() if found.get(name) == ROOT / folder / name]
    paths = [str(path) for path in dict.fromkeys([*ours, *more])]
    return {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}


def environment(**variables: str) -> dict[str, str]:
    """The environment for a child: the packages under test, and this Python's commands first."""
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return os.environ | python_path() | {"PATH": commands, "PYTHONUNBUFFERED": "1"} | variables
