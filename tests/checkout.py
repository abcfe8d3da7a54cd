"""Running this checkout's programs as a user would, whether or not it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["ROOT", "environment"]

ROOT = Path(__file__).resolve().parents[1]


def environment(**variables: str) -> dict[str, str]:
    """The environment for a child: this checkout's packages, and this Python's commands first."""
    packages = os.pathsep.join([str(ROOT / "src"), str(ROOT / "generated")])
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return os.environ | {"PYTHONPATH": packages, "PATH": commands, "PYTHONUNBUFFERED": "1"} | variables
