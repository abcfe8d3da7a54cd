"""The wheel, as its users get it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from registry import clean_environment, pip_install

ROOT = Path(__file__).resolve().parents[2]

CORE = {"attrs", "httpx", "websockets"}
# What those bring by themselves; which of them depends on the Python version.
BROUGHT = {"anyio", "certifi", "h11", "httpcore", "idna", "sniffio", "typing_extensions"}

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
print("ok")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path, names: set[str]) -> Message:
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(name).decode())


def test_core_dependencies_are_three(metadata: Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {line.replace("<", " ").replace(">", " ").split()[0] for line in required} == CORE


def test_wheel_holds_the_three_packages_typed(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"synapse_sdk", "synapse_agent", "synapse_agent_api"}
    for top in tops:
        assert f"{top}/py.typed" in names
        assert f"{top}/__init__.py" in names


def test_wheel_holds_every_module_of_the_checkout(names: set[str]) -> None:
    for folder in (ROOT / "src", ROOT / "generated"):
        modules = {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
        assert modules <= names


def test_wheel_carries_readme_license_and_command(wheel: Path, names: set[str], metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "make demo" in metadata.get_payload()
    (entry_points,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
    with zipfile.ZipFile(wheel) as archive:
        assert "synapse-agent = " in archive.read(entry_points).decode()


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
