"""The hooks before a commit: the same tools as `make lint`, and nothing from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT
from registry import clean_environment

pytestmark = pytest.mark.slow

CONFIG = ROOT / ".pre-commit-config.yaml"
SOUND = '"""A module."""\n'
FAULTS = {
    "ruff-check": ("src/synapse_sdk/bad.py", '"""A module."""\n\nimport os\n', "F401"),
    "ruff-format": ("src/synapse_sdk/bad.py", '"""A module."""\n\nx = [1,2]\n', "would be reformatted"),
    "codespell": ("README.md", "We recieve it.\n", "receive"),  # codespell:ignore
    "deptry": ("src/synapse_sdk/bad.py", '"""A module."""\n\nimport colorama\n', "'colorama' imported"),
    "vulture": ("src/synapse_sdk/bad.py", '"""A module."""\n\n\ndef _never() -> None: ...\n', "_never"),
}


def hooks() -> list[dict[str, Any]]:
    (repository,) = yaml.safe_load(CONFIG.read_text())["repos"]
    assert repository["repo"] == "local"
    return repository["hooks"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with this one's code, settings and tools."""
    for name in ("pyproject.toml", CONFIG.name):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("src", "generated", "tests/testing"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".gitignore").write_text(".venv/\n.ruff_cache/\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def run(project: Path, hook: str, path: str) -> subprocess.CompletedProcess[str]:
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)
    variables = clean_environment() | {"PRE_COMMIT_HOME": str(project / ".git" / "pre-commit")}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", hook, "--color", "never", "--files", path],
        cwd=project,
        env=variables,
        check=False,
        capture_output=True,
        text=True,
    )


def test_each_is_a_command_of_make_lint_or_checks_the_generated_code() -> None:
    recipes = (ROOT / "Makefile").read_text()
    for hook in hooks():
        assert hook["language"] == "system"
        command = hook["entry"].replace(".venv/bin", "$(BIN)").replace(" --force-exclude", "")
        assert re.search(rf"^\t{re.escape(command)}( \.)?$", recipes, re.MULTILINE), command


def test_every_tool_is_there() -> None:
    for hook in hooks():
        tool = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert os.access(Path(sys.executable).parent / tool, os.X_OK), tool


@pytest.mark.parametrize("hook", FAULTS)
def test_a_fault_stops_the_commit(project: Path, hook: str) -> None:
    path, text, words = FAULTS[hook]
    file = project / path
    file.write_text(SOUND)
    assert run(project, hook, path).returncode == 0
    file.write_text(text)
    done = run(project, hook, path)
    assert done.returncode == 1
    assert words in done.stdout, done.stdout
