"""Installing from the package index in tests, where there is one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

__all__ = ["clean_environment", "pip_install"]

UNREACHABLE = (
    "Connection refused",
    "Max retries exceeded",
    "Name or service not known",
    "Network is unreachable",
    "NewConnectionError",
    "Read timed out",
    "Temporary failure in name resolution",
)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead another Python to this one's packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def pip_install(python: Path | str, *arguments: str) -> None:
    """`pip install`; skips the test where the package index can't be reached."""
    command = [str(python), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--retries", "1", "--timeout", "20", *arguments]
    done = subprocess.run(command, env=clean_environment(), check=False, capture_output=True, text=True)
    if done.returncode and any(words in done.stderr for words in UNREACHABLE):
        pytest.skip("the package index can't be reached")
    assert done.returncode == 0, done.stderr
