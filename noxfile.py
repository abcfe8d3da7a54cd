"""Tests of the built wheel, in environments without Ray and without this checkout's `src/` (`make test-all`).

    nox                          every Python that is found, and the lowest versions of the dependencies
    nox -s tests-3.13            one of them
    nox -s lowest -- -k tail     with arguments for pytest

uv makes the environments, since pip would take minutes for each.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PYPROJECT = nox.project.load_toml("pyproject.toml")
PROJECT = PYPROJECT["project"]
# It needs newer versions of what the lowest versions are wanted of; its tests skip.
TOOLS = [
    line for line in nox.project.dependency_groups(PYPROJECT, "dev") if not line.startswith("schemathesis")
]
# They test tools and types of this checkout, or memory, none of which is another in another environment.
LEFT_OUT = (
    *("tests/contract/test_skew_release.py", "tests/contract/test_templates.py", "tests/docs", "tests/scale"),
    *("tests/spec", "tests/typing", "tests/unit/test_benchmarks.py", "tests/unit/test_coverage_report.py"),
    *("tests/unit/test_codegen.py", "tests/unit/test_front_door.py", "tests/unit/test_hooks.py"),
    "tests/unit/test_lock.py",
    *("tests/unit/test_packaging.py", "tests/unit/test_private_names.py", "tests/unit/test_release_check.py"),
)

# A Python that pyenv has can be run although none is chosen, which its shims refuse to do.
for folder in sorted(Path.home().glob(".pyenv/versions/3.*/bin")):
    os.environ["PATH"] += os.pathsep + str(folder)


def requirements() -> list[Requirement]:
    """What the project depends on with all extras, less Ray: half a gigabyte that these tests do without."""
    extras = (line for lines in PROJECT["optional-dependencies"].values() for line in lines)
    found = map(Requirement, (*PROJECT["dependencies"], *extras))
    # One extra names another one by the project's own name.
    return [requirement for requirement in found if requirement.name not in ("ray", PROJECT["name"])]


def lowest_versions() -> str:
    """Constraints: each of those in the oldest version that it is said to work with."""
    bounds = (
        (one.name, part.version) for one in requirements() for part in one.specifier if part.operator == ">="
    )
    return "".join(f"{name}=={version}\n" for name, version in bounds)


def run(session: nox.Session, *arguments: str) -> None:
    dist = Path(session.virtualenv.location) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install("--upgrade", *TOOLS, *map(str, requirements()), *arguments)
    session.run(
        "python", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(dist), silent=True
    )
    (wheel,) = dist.glob("*.whl")
    session.install("--no-deps", "--reinstall", str(wheel))
    session.run(
        *("python", "-m", "pytest", "--installed", "--override-ini=pythonpath=tests"),
        *("-m", "not ray and not containers", "-p", "no:cacheprovider"),
        *(f"--ignore={path}" for path in LEFT_OUT),
        *session.posargs,
        env={"PYTHONPATH": None},
    )


@nox.session(python=PYTHONS, venv_params=["--seed"])
def tests(session: nox.Session) -> None:
    """The newest versions of the dependencies."""
    run(session)


@nox.session(python=PYTHONS[0], venv_params=["--seed"])
def lowest(session: nox.Session) -> None:
    """The oldest versions of the dependencies that pyproject.toml allows."""
    constraints = Path(session.virtualenv.location) / "lowest.txt"
    constraints.write_text(lowest_versions())
    run(session, "--constraints", str(constraints))
