"""Check whether this commit can be released, and build what would be uploaded into dist/.

    python scripts/release_check.py

Nothing is uploaded or tagged. CONTRIBUTING.md has the steps before and after this one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_HEADING = re.compile(r"^## \[(.+?)\] - (.+)$", re.MULTILINE)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def problems(version: str) -> Iterator[str]:
    """Yield what has to be done before the release."""
    if changes := run("git", "status", "--porcelain").rstrip():
        yield f"there are changes that are not committed:\n{changes}"
    if run("git", "tag", "--list", f"v{version}"):
        yield f"v{version} is tagged already: raise __version__ in src/synapse_sdk/__init__.py"
    urls = tomllib.loads(Path("pyproject.toml").read_text())["project"]["urls"]
    if unknown := [name for name, url in urls.items() if ".invalid/" in url]:
        names = ", ".join(unknown)
        yield f"pyproject.toml has no real address of the repository: change {names} in [project.urls]"
    heading = _HEADING.search(Path("CHANGELOG.md").read_text())
    latest, date = heading.groups() if heading else ("nothing", "")
    if latest != version:
        yield f"CHANGELOG.md begins with {latest}, and the version is {version}"
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        yield f"CHANGELOG.md has no date for {version}, but {date!r}"


def build() -> None:
    shutil.rmtree("dist", ignore_errors=True)
    run(sys.executable, "-m", "hatchling", "build", "--directory", "dist")
    print(
        run(
            sys.executable,
            "-m",
            "twine",
            "--no-color",
            "check",
            "--strict",
            *map(str, Path("dist").iterdir()),
        )
    )


def main() -> int:
    version = _VERSION.findall(Path("src/synapse_sdk/__init__.py").read_text())[0]
    found = list(problems(version))
    for problem in found:
        print(f"{version} can't be released yet: {problem}", file=sys.stderr)
    if found:
        return 1
    build()
    print(f"{version} can be released; dist/ has what to upload.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
