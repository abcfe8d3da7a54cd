"""The lock: for this pyproject.toml, with hashes, without the address of a package index."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from checkout import ROOT
from packaging.requirements import Requirement
from tables import each_row

LOCKS = ("dev", "agent")
CHECK = [sys.executable, str(ROOT / "scripts" / "lock.py"), "--check"]


def locked(name: str) -> dict[str, tuple[Requirement, list[str]]]:
    """By name, what a lock pins and its hashes."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    found: dict[str, tuple[Requirement, list[str]]] = {}
    for entry in text.replace(" \\\n", " ").splitlines():
        if not entry.startswith("#"):
            requirement, *hashes = entry.split(" --hash=")
            parsed = Requirement(requirement)
            found[f"{parsed.name} {parsed.marker or ''}"] = (parsed, hashes)
    return found


@each_row("name", LOCKS)
def test_every_version_is_pinned_with_its_hashes(name: str) -> None:
    entries = locked(name)
    assert entries
    for requirement, hashes in entries.values():
        assert [part.operator for part in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert all(value.strip().startswith("sha256:") for value in hashes), requirement


@each_row("name", LOCKS)
def test_no_address_of_an_index_is_in_it(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    assert "://" not in text
    assert "index" not in text


def test_what_the_agent_needs_has_the_same_versions_for_the_developers() -> None:
    developers, agent = (
        {f"{requirement.name}{requirement.specifier}" for requirement, _ in locked(name).values()}
        for name in LOCKS
    )
    assert agent < developers


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def check(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(CHECK, cwd=project, check=False, capture_output=True, text=True)


def test_it_is_for_this_pyproject(project: Path) -> None:
    done = check(project)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_change_of_the_dependencies_asks_for_another(project: Path) -> None:
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace('"pyyaml>=6.0.2"', '"pyyaml>=6.0.1"'))
    done = check(project)
    assert done.returncode == 1
    assert done.stderr.endswith("have changed since: run make lock KEEP=1\n")


def test_a_change_of_anything_else_does_not(project: Path) -> None:
    file = project / "pyproject.toml"
    file.write_text(f"# A comment.\n{file.read_text()}")
    assert tomllib.loads(file.read_text())
    assert check(project).returncode == 0
