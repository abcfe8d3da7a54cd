"""The version is said once, in `synapse_sdk/__init__.py`; all else that has one takes it from there."""

from __future__ import annotations

import re
import subprocess
import sys

import httpx
from checkout import ROOT, environment
from packaging.version import Version

import synapse_agent
import synapse_sdk
from synapse_sdk.clients.agent import AgentClient

from .scripted_server import Server, json_answer

VERSION = synapse_sdk.__version__


def test_version_is_a_normal_one() -> None:
    assert str(Version(VERSION)) == VERSION


def test_no_other_file_of_ours_says_it() -> None:
    quoted = re.compile(rf"(?<![\d.]){re.escape(VERSION)}(?![\d.])")
    files = [*ROOT.glob("src/**/*.py"), ROOT / "pyproject.toml"]
    saying = {str(path.relative_to(ROOT)) for path in files if quoted.search(path.read_text())}
    assert saying == {"src/synapse_sdk/__init__.py"}


def test_agent_has_the_same() -> None:
    assert synapse_agent.__version__ == VERSION
    command = [sys.executable, "-m", "synapse_agent", "--version"]
    told = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout
    assert told == f"synapse-agent {VERSION}\n"


def test_requests_tell_it() -> None:
    with Server(json_answer(200, {"status": "ok"})) as server, AgentClient(server.url, "token") as client:
        client.health_check()
    (request,) = server.requests
    assert request.header("user-agent") == f"synapse-sdk/{VERSION} python-httpx/{httpx.__version__}"


def test_changelog_begins_with_it() -> None:
    headings = re.findall(r"^## \[(.+?)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    latest, date = headings[0]
    assert latest == VERSION
    assert date == "Unreleased" or re.fullmatch(r"\d{4}-\d\d-\d\d", date)
