"""The wheel and the sdist, as their users get them."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from checkout import ROOT
from packaging.metadata import Metadata
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from registry import clean_environment, pip_install

from synapse_sdk import __version__

pytestmark = pytest.mark.slow

PACKAGES = {"synapse_sdk": "src", "synapse_agent": "src", "synapse_agent_api": "generated"}
INFO = f"synapse_sdk-{__version__}.dist-info"
# The text as the Apache Software Foundation publishes it, whole.
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"

CORE = {"anyio", "attrs", "h11", "httpcore", "httpx", "sniffio", "websockets"}
EXTRAS = {"agent", "agent-ray", "cli", "metrics", "redis"}
# What those bring by themselves; which of them depends on the Python version.
BROUGHT = {"certifi", "idna", "typing_extensions"}

FIRST_USE = """
import sys
sys.path.insert(0, sys.argv[1])
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.agent.models import Job
from synapse_sdk.clients.exceptions import ClientConnectionError
from synapse_sdk.utils.network import StreamLimits
import asyncio, synapse_sdk

assert synapse_sdk.__file__.startswith(sys.argv[1]), synapse_sdk.__file__

def failing(call):
    try:
        call()
    except ClientConnectionError as error:
        assert error.status_code == 503
    else:
        raise AssertionError("nothing listens there")

async def ask():
    async with AsyncAgentClient("http://127.0.0.1:9/", "token", max_retries=0) as client:
        await client.get_job("job-1")

with AgentClient("http://127.0.0.1:9/", "token", max_retries=0) as client:
    failing(client.health_check)
    failing(lambda: list(client.tail_job_logs("job-1", timeout=1, protocol="websocket")))
failing(lambda: asyncio.run(ask()))

import importlib.metadata
distribution = importlib.metadata.distribution("synapse-sdk")
assert distribution.version == synapse_sdk.__version__
for command in distribution.entry_points.select(group="console_scripts"):
    assert callable(command.load()), command
print("ok")
"""


def build(source: Path, target: Path, kind: str) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(target)]
    done = subprocess.run(command, cwd=source, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist's only folder, somewhere else, its files as old as the unpacking."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        # Python 3.11 has filters since 3.11.4; an archive that we have built is safe without one.
        options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **options)
    for path in folder.rglob("*"):
        os.utime(path)
    (top,) = folder.iterdir()
    return top


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(contents: dict[str, bytes]) -> Metadata:
    return Metadata.from_email(contents[f"{INFO}/METADATA"], validate=True)


def modules() -> set[str]:
    """What the wheel has to hold: the three packages' modules and type markers, and the agent's document."""
    return {
        str(path.relative_to(ROOT / folder))
        for package, folder in PACKAGES.items()
        for path in (ROOT / folder / package).rglob("*")
        if path.suffix == ".py" or path.name in ("openapi.json", "py.typed")
    }


def test_names_say_project_version_and_any_python(wheel: Path, sdist: Path) -> None:
    name, version, build_number, tags = parse_wheel_filename(wheel.name)
    assert (name, str(version), build_number) == ("synapse-sdk", __version__, ())
    assert [str(tag) for tag in tags] == ["py3-none-any"]
    assert [str(part) for part in parse_sdist_filename(sdist.name)] == ["synapse-sdk", __version__]


def test_wheel_holds_the_three_packages_and_nothing_else(contents: dict[str, bytes]) -> None:
    assert {name for name in contents if not name.startswith(f"{INFO}/")} == modules()
    assert {f"{package}/py.typed" for package in PACKAGES} <= contents.keys()


def test_wheel_holds_no_tests(contents: dict[str, bytes]) -> None:
    parts = {part for name in contents for part in PurePosixPath(name).parts}
    assert not {part for part in parts if re.match(r"(tests?|conftest|test_.*)(\.py)?$", part)}
    # The fixtures for users' tests are no tests.
    plugin = "synapse_sdk/testing/pytest_plugin.py"
    assert {name for name, data in contents.items() if b"import pytest" in data} == {plugin}


def test_wheel_records_every_file(contents: dict[str, bytes]) -> None:
    rows = list(csv.reader(contents[f"{INFO}/RECORD"].decode().splitlines()))
    assert {name for name, _, _ in rows} == contents.keys()
    for name, digest, size in rows:
        if name != f"{INFO}/RECORD":
            made = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={made}", len(contents[name]))


def test_wheel_has_the_whole_license(contents: dict[str, bytes], metadata: Metadata) -> None:
    assert (metadata.license_expression, metadata.license_files) == ("Apache-2.0", ["LICENSE"])
    assert hashlib.sha256(contents[f"{INFO}/licenses/LICENSE"]).hexdigest() == APACHE_2


def test_metadata_says_what_it_is(metadata: Metadata) -> None:
    assert (metadata.name, str(metadata.version)) == ("synapse-sdk", __version__)
    assert str(metadata.requires_python) == ">=3.11"
    assert metadata.summary
    assert "Typing :: Typed" in (metadata.classifiers or [])
    assert metadata.description == (ROOT / "README.md").read_text()
    assert metadata.description_content_type == "text/markdown"


def test_core_dependencies_are_few(metadata: Metadata) -> None:
    required = metadata.requires_dist or []
    assert {canonicalize_name(one.name) for one in required if one.marker is None} == CORE
    assert set(metadata.provides_extra or []) == EXTRAS


def test_every_dependency_has_a_lower_bound(metadata: Metadata) -> None:
    for required in metadata.requires_dist or []:
        if canonicalize_name(required.name) == metadata.name:
            continue  # one extra names another one
        assert {part.operator for part in required.specifier} & {">=", "==", "~="}, required


def test_package_index_takes_both(wheel: Path, sdist: Path) -> None:
    """By its own check: metadata, and a description that it can show."""
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(wheel), str(sdist)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_sdist_holds_what_a_wheel_needs_and_its_reader_wants(unpacked: Path) -> None:
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    code = {name for name in files if name.startswith(("src/", "generated/"))}
    assert {name.partition("/")[2] for name in code} == modules()
    assert files - code == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "SECURITY.md",
        "pyproject.toml",
    }


def test_wheel_from_the_sdist_is_the_same_to_the_byte(wheel: Path, unpacked: Path, tmp_path: Path) -> None:
    assert sha256(build(unpacked, tmp_path, "wheel")) == sha256(wheel)


def test_sdist_from_files_with_other_times_and_modes_is_the_same(
    sdist: Path, unpacked: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy)
    (copy / "PKG-INFO").unlink()
    for path in copy.rglob("*.py"):
        path.chmod(0o600)
    assert sha256(build(copy, tmp_path, "sdist")) == sha256(sdist)


def test_installed_without_extras_it_works_and_brings_little(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip_install(sys.executable, "--target", str(target), str(wheel))

    installed = {path.name.partition("-")[0].lower() for path in target.glob("*.dist-info")}
    assert installed >= CORE | {"synapse_sdk"}
    assert installed <= CORE | BROUGHT | {"synapse_sdk"}

    # -S: without the packages of the environment that the tests run in.
    command = [sys.executable, "-I", "-S", "-c", FIRST_USE, str(target)]
    done = subprocess.run(command, env=clean_environment(), check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
