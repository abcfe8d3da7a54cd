"""The virtual environments that the contenders run in, below `.cache/bench`, made when needed and kept."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["CACHE", "Environments", "ROOT", "base_python", "clean_environment"]

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "bench"

PUBLISHED = "synapse-sdk==2026.2.17"
PEERS = (
    "aiohttp",
    "attrs",
    "httpx",
    "httpx-ws",
    "pydantic",
    "python-dateutil",
    "requests",
    "websocket-client",
    "websockets",
)
VERSIONS = """
import json, importlib.metadata as metadata
print(json.dumps({found.name.lower().replace("_", "-"): found.version for found in metadata.distributions()}))
"""


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead another Python to this one's packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def _pythons() -> Iterator[str]:
    """Where a Python may be. One that the published SDK runs on comes first: all contenders get the same."""
    if chosen := os.environ.get("PYTHON"):
        yield chosen
        return
    versions = ("3.12", "3.13", "3.14")
    yield from (f"python{version}" for version in versions)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from itertools.chain.from_iterable(
        (str(path) for path in sorted(root.glob(f"{version}.*/bin/python"))) for version in versions
    )
    yield sys.executable


def base_python() -> str:
    """The Python that all environments are made with."""
    program = (
        "import ensurepip, os, sys; print(os.path.realpath(sys._base_executable)); "
        "sys.exit(sys.version_info < (3, 11))"
    )
    for candidate in _pythons():
        try:
            done = subprocess.run(
                [candidate, "-I", "-c", program],
                env=clean_environment(),
                check=False,
                capture_output=True,
                text=True,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return done.stdout.strip()
    sys.exit("Python 3.11 or newer, with venv, is needed; name one: make bench PYTHON=/path/to/python3.12")


@dataclass
class Environments:
    """Makes environments by name, and knows which could not be made and why."""

    base: str
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    """By environment, the versions of what is in it."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why an environment, or a package of `peers`, is not there."""

    def python(self, name: str) -> Path:
        """The interpreter of an environment."""
        return _folder(name) / "bin" / "python"

    def packages(self, name: str) -> Path:
        """The folder that an environment's packages are in."""
        return next((_folder(name) / "lib").glob("python*/site-packages"))

    def stock_models(self) -> Path:
        """The folder of what the stock generator, without our templates, makes of the spec."""
        return CACHE / "stock"

    def prepare(self, names: Sequence[str]) -> None:
        """Make these environments, as far as they are not there and up to date."""
        for name in names:
            try:
                getattr(self, f"_make_{name}")()
                self.versions[name] = json.loads(_run([str(self.python(name)), "-I", "-c", VERSIONS]))
            except subprocess.CalledProcessError as error:
                self.missing[name] = _last_words(error)
                print(f"! {name}: {self.missing[name]}", flush=True)

    def _make_ours(self) -> None:
        self._make("ours", [str(self._wheel())], fresh=_sources())

    def _make_agent(self) -> None:
        self._make("agent", [f"synapse-sdk[agent-ray] @ {self._wheel().as_uri()}"], fresh=_sources())

    def _make_published(self) -> None:
        self._make("published", [PUBLISHED])

    def _make_peers(self) -> None:
        try:
            self._make("peers", PEERS)
        except subprocess.CalledProcessError:
            for package in PEERS:
                try:
                    self._install("peers", [package])
                except subprocess.CalledProcessError as error:
                    self.missing[package] = _last_words(error)
                    print(f"! {package}: {self.missing[package]}", flush=True)

    def _make_generator(self) -> None:
        groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
        (pinned,) = (line for line in groups["dev"] if str(line).startswith("openapi-python-client"))
        self._make("generator", [pinned])
        target, spec = self.stock_models(), ROOT / "spec" / "openapi.yaml"
        want = f"{pinned} {hashlib.sha256(spec.read_bytes()).hexdigest()}"
        stamp = CACHE / "stock.made"
        if stamp.exists() and stamp.read_text() == want:
            return
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        config = CACHE / "stock.json"
        config.write_text(json.dumps({"package_name_override": "stock_api", "post_hooks": []}))
        command = [str(self.python("generator")), "-I", "-m", "openapi_python_client", "generate"]
        command += ["--path", str(spec), "--meta", "none", "--overwrite", "--config", str(config)]
        _run([*command, "--output-path", str(target / "stock_api")])
        stamp.write_text(want)

    def _make(self, name: str, requirements: Sequence[str], *, fresh: str = "") -> None:
        """Make an environment. When only `fresh` changed, the project alone is installed anew."""
        folder, stamp = _folder(name), _folder(name) / "made.json"
        want = {"base": self.base, "requirements": list(requirements), "fresh": fresh}
        made = json.loads(stamp.read_text()) if stamp.exists() else {}
        if made == want:
            return
        if made and {**made, "fresh": fresh} == want:
            print(f"Updating {folder.relative_to(ROOT)}", flush=True)
            stamp.unlink()
            self._install(name, ["--force-reinstall", "--no-deps", *requirements])
            self._install(name, requirements)  # what it has come to need since
        else:
            print(f"Making {folder.relative_to(ROOT)} ({', '.join(requirements)[:70]})", flush=True)
            _run([self.base, "-I", "-m", "venv", "--clear", str(folder)])
            self._install(name, requirements)
        stamp.write_text(json.dumps(want))

    def _install(self, name: str, arguments: Sequence[str]) -> None:
        command = [str(self.python(name)), "-I", "-m", "pip", "install", "--quiet"]
        _run([*command, "--disable-pip-version-check", *arguments])

    def _wheel(self) -> Path:
        folder, stamp = CACHE / "wheel", CACHE / "wheel" / "made"
        if not (stamp.exists() and stamp.read_text() == _sources()):
            shutil.rmtree(folder, ignore_errors=True)
            command = [self.base, "-I", "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
            _run([*command, "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
            stamp.write_text(_sources())
        (wheel,) = folder.glob("*.whl")
        return wheel


def _folder(name: str) -> Path:
    return CACHE / "venvs" / name


def _sources() -> str:
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for folder in ("src", "generated"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, env=clean_environment(), check=True, capture_output=True, text=True)
    return done.stdout


def _last_words(error: subprocess.CalledProcessError) -> str:
    words = (error.stderr or error.stdout or "").strip().splitlines()
    return words[-1][:200] if words else f"exit status {error.returncode}"
