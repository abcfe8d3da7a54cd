"""The command as people and programs use it: in this process, as a child with pipes, and in a terminal."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from checkout import environment

from cli.terminal import Terminal
from synapse_sdk.cli import main

COMMAND = [sys.executable, "-m", "synapse_sdk.cli"]
VARIABLES = (
    "SYNAPSE_AGENT_URL",
    "SYNAPSE_AGENT_TOKEN",
    "SYNAPSE_PROFILE",
    "SYNAPSE_PLUGIN_RUN_USER_TOKEN",
    "SYNAPSE_PLUGIN_RUN_TENANT",
    "NO_COLOR",
)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, without an agent, profiles or keyring."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TERM", "xterm-256color")
    return tmp_path


@pytest.fixture
def synapse(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """Run the command in this process."""
    logger = logging.getLogger("synapse_sdk")
    level = logger.level

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        code = main(arguments)
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    yield run
    logger.setLevel(level)  # --debug changes it


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Point the environment at an agent."""

    def point(agent: Any, token: str = "a-secret-token") -> None:
        monkeypatch.setenv("SYNAPSE_AGENT_URL", agent.url)
        monkeypatch.setenv("SYNAPSE_AGENT_TOKEN", token)

    return point


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command as a child with pipes; what still runs at the end is killed."""
    with ExitStack() as stack:

        def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
            variables = environment(**options.pop("env", {}))
            # As users run it: what they see must not depend on this.
            del variables["PYTHONUNBUFFERED"]
            settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            settings |= {"stdin": subprocess.DEVNULL} | options
            process: subprocess.Popen[str] = subprocess.Popen(
                [*COMMAND, *arguments], env=variables, **settings
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start the command in a terminal; what still runs at the end is killed."""
    with ExitStack() as stack:

        def start(*arguments: str, **options: Any) -> Terminal:
            return stack.enter_context(Terminal([*COMMAND, *arguments], **options))

        yield start
