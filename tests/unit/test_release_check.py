"""`make release-check`: what it lets pass, and what it says otherwise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

from synapse_sdk import __version__

NEEDED = ("CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "generated", "pyproject.toml", "src")
DATED = f"## [{__version__}] - 2026-12-01"


def git(repository: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *arguments], cwd=repository, check=True, capture_output=True)


def check(repository: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "release_check.py")]
    return subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What a wheel is made from, committed, its newest version dated."""
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    changelog = tmp_path / "CHANGELOG.md"
    text = re.sub(r"^## \[.+\] - .+$", DATED, changelog.read_text(), count=1, flags=re.MULTILINE)
    changelog.write_text(text)
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text().replace(".invalid/", ".example/"))
    (tmp_path / ".gitignore").write_text("dist/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "all")
    return tmp_path


def test_a_dated_clean_commit_is_built(repository: Path) -> None:
    done = check(repository)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{__version__} can be released" in done.stdout
    assert {path.name for path in (repository / "dist").iterdir()} == {
        f"synapse_sdk-{__version__}.tar.gz",
        f"synapse_sdk-{__version__}-py3-none-any.whl",
    }


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        (f"## [{__version__}] - Unreleased", f"has no date for {__version__}, but 'Unreleased'"),
        ("## [0.0.9] - 2026-12-01", f"begins with 0.0.9, and the version is {__version__}"),
        ("## Soon", "begins with nothing"),
    ],
)
def test_changelog_must_date_the_version(repository: Path, heading: str, words: str) -> None:
    changelog = repository / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(DATED, heading))
    git(repository, "commit", "--quiet", "--all", "--message", "heading")
    done = check(repository)
    assert done.returncode == 1
    assert words in done.stderr
    assert not (repository / "dist").exists()


def test_repository_needs_an_address(repository: Path) -> None:
    project = repository / "pyproject.toml"
    project.write_text(project.read_text().replace(".example/", ".invalid/"))
    git(repository, "commit", "--quiet", "--all", "--message", "address")
    done = check(repository)
    assert done.returncode == 1
    assert "change Repository, Documentation, Changelog, Issues in [project.urls]" in done.stderr


def test_all_that_stands_in_the_way_is_said(repository: Path) -> None:
    git(repository, "tag", f"v{__version__}")
    (repository / "README.md").write_text("changed")
    done = check(repository)
    assert done.returncode == 1
    assert f"v{__version__} is tagged already" in done.stderr
    assert " M README.md" in done.stderr
