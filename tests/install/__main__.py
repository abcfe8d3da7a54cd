"""Install the wheel as a user would, and use it: each extra alone, with the newest and the lowest versions.

    make test-install
    make test-install ONLY=cli OVERRIDE="click @ file:///tmp/click-99-py3-none-any.whl"

Nothing of this checkout and no tool of its developers is in those environments. What breaks is said with the
versions that are not the locked ones, with which the rest of the tests run.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

from checkout import ROOT
from packaging.requirements import Requirement
from registry import clean_environment
from running_agent import dashboard, ray_token, running_agent

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# The extra that each has.
ENVIRONMENTS = {"core": "", "cli": "cli", "frozen": "cli", "agent": "agent", "redis": "redis"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class CommandError(Exception):
    """A command that failed, and what it said."""


def run(command: list[str], folder: Path, **variables: str) -> str:
    """Run a command where nothing leads it to this checkout; return what it prints."""
    environment = {name: value for name, value in clean_environment().items() if "SYNAPSE" not in name}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | variables,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{' '.join(command)}: not done after 300 s") from None
    if done.returncode:
        raise CommandError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def requirements(environment: str) -> list[Requirement]:
    """Return what pyproject.toml asks for, without what one extra asks of another one."""
    extra = PROJECT["optional-dependencies"].get(ENVIRONMENTS[environment], [])
    return [Requirement(line) for line in (*PROJECT["dependencies"], *extra)]


def locked() -> dict[str, str]:
    text = (ROOT / "requirements" / "dev.lock").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def table(names: list[str], columns: Mapping[str, Mapping[str, str]]) -> str:
    rows = [["", *columns]]
    rows += [[name, *(versions.get(name, "") for versions in columns.values())] for name in names]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


class Installer:
    def __init__(self, folder: Path, python: str, overrides: list[str]) -> None:
        self._folder = folder
        self._python = python
        run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(folder)], ROOT)
        (self._wheel,) = folder.glob("*.whl")
        self._overrides = folder / "overrides.txt"
        self._overrides.write_text("\n".join(overrides))
        self._overridden = {Requirement(line).name for line in overrides}

    def _uv(self, *arguments: str) -> str:
        return run([sys.executable, "-m", "uv", "--quiet", *arguments], self._folder, UV_NO_CONFIG="1")

    def wanted(self, *extras: str) -> str:
        return f"synapse-sdk[{','.join(extras)}] @ {self._wheel.as_uri()}"

    def install(self, environment: str, versions: str) -> tuple[Path, dict[str, str]]:
        """Make an environment; return its Python, and the versions of what is in it."""
        place = self._folder / f"{environment}-{versions}"
        python = place / "bin" / "python"
        self._uv("venv", "--python", self._python, str(place))
        constraints = self._folder / f"{place.name}.txt"
        bounds = (
            f"{one.name}=={bound.version}\n"
            for one in requirements(environment)
            for bound in one.specifier
            if bound.operator == ">=" and one.name not in self._overridden
        )
        constraints.write_text("".join(bounds) if versions == "lowest" else "")
        options = ["--constraints", str(constraints), "--overrides", str(self._overrides)]
        tools = ["pyinstaller"] if environment == "frozen" else []
        wanted = self.wanted(ENVIRONMENTS[environment])
        self._uv("pip", "install", "--python", str(python), *options, wanted, *tools)
        listed = self._uv("pip", "list", "--python", str(python), "--format", "json")
        found = {one["name"]: one["version"] for one in json.loads(listed)}
        return python, found

    def check(self, python: Path, environment: str, **variables: str) -> None:
        self._uv("pip", "check", "--python", str(python))
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        script = Path(__file__).with_name(f"check_{environment}.py")
        run([str(python), str(script)], folder, HOME=str(folder), **variables)

    def resolve(self, python: str) -> None:
        """Check that everything can be installed on a Python, from wheels, also where it is not here."""
        wanted = self._folder / "all.in"
        wanted.write_text(self.wanted("agent-ray", "cli", "redis"))
        options = ["--python-version", python, "--python-platform", "linux", "--only-binary", ":all:"]
        self._uv("pip", "compile", *options, str(wanted))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-install")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments")
    parser.add_argument("--only", default=[], action="append", choices=ENVIRONMENTS)
    parser.add_argument(
        "--override", default=[], action="append", help="a requirement in place of what is asked"
    )
    parser.add_argument("--ray", action="store_true", help="try the agent in front of a real Ray cluster")
    options = parser.parse_args()
    columns, failures = {"locked": locked()}, 0

    def attempt(name: str, step: Callable[[], None]) -> int:
        began = time.monotonic()
        try:
            step()
        except CommandError as error:
            print(f"{name}: FAILED\n{error}", flush=True)
            for package, version in columns.get(name, {}).items():
                if version != columns["locked"].get(package) and package != PROJECT["name"]:
                    print(f"  {package} is {version}, locked is {columns['locked'].get(package, 'none')}")
            return 1
        print(f"{name}: ok ({time.monotonic() - began:.1f} s)", flush=True)
        return 0

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="install-")))
        installer = Installer(folder, options.python, options.override)

        @cache
        def cluster() -> dict[str, str]:
            agent = stack.enter_context(running_agent())
            return {"RAY_DASHBOARD": dashboard(agent), "RAY_AUTH_TOKEN": ray_token(agent)}

        def used(environment: str, versions: str) -> None:
            name = f"{environment} {versions}"
            python, columns[name] = installer.install(environment, versions)
            installer.check(python, environment)
            if environment == "agent" and options.ray:
                installer.check(python, environment, **cluster())

        for environment in options.only or ENVIRONMENTS:
            # Freezing is the same with all versions, and takes its time.
            for versions in ("newest",) if environment == "frozen" else ("newest", "lowest"):
                failures += attempt(f"{environment} {versions}", partial(used, environment, versions))
        for python in () if options.only else PYTHONS:
            failures += attempt(f"all extras on {python}", partial(installer.resolve, python))
    names = {one.name for environment in ENVIRONMENTS for one in requirements(environment)}
    print(table(sorted(names), columns))
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
