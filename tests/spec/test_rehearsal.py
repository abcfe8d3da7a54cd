"""docs/how-to/api-change.md, walked: its commands in a copy of this checkout print what it says.

`UPDATE_REHEARSAL=1 python -m pytest tests/spec/test_rehearsal.py` writes what they print into the page.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT

from tools.spec import document as spec_document
from tools.spec import redocly

from .agent_server import Server, document

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "how-to" / "api-change.md"
URL = "http://127.0.0.1:8000/"
BLOCK = re.compile(r"^```(shell-session|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What is in the repository, and what a developer's folder has besides.
LEFT_OUT = (
    ".git",
    ".venv",
    ".cache",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
)


def newer(spec: dict[str, Any]) -> dict[str, Any]:
    """What the agent's next version serves, in FastAPI's words."""
    new = copy.deepcopy(spec)
    schemas = new["components"]["schemas"]
    text_or_null = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    answer = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Actor"},
        "title": "Response List Actors",
    }
    new["paths"]["/actors/"] = {
        "get": {
            "summary": "List Actors",
            "operationId": "list_actors_actors__get",
            "responses": {
                "200": {
                    "description": "Successful Response",
                    "content": {"application/json": {"schema": answer}},
                }
            },
        }
    }
    schemas["Actor"] = {
        "title": "Actor",
        "type": "object",
        "required": ["actor_id"],
        "properties": {
            "actor_id": {"type": "string", "title": "Actor Id"},
            "name": {**text_or_null, "title": "Name"},
        },
    }
    schemas["Job"]["properties"]["queue"] = {**text_or_null, "title": "Queue"}
    schemas["NodeState"]["enum"].append("PAUSED")
    config = schemas["ComposeConfig"]
    del config["properties"]["working_dir"]
    config["properties"]["folder"] = {"type": "string", "title": "Folder"}
    config["required"] = ["config_files", "folder", "is_gpu_mode"]
    del new["paths"]["/containers/docker/{container_id}/start/"]
    return new


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this one, with a commit on `main`, in which make needs no environment of its own."""
    if shutil.which("git") is None:
        pytest.skip("git is missing")
    folder = tmp_path / "synapse-sdk"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-qm", "Before"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


def variables(folder: Path) -> dict[str, str]:
    python = Path(sys.executable).parent
    commands = folder.parent / "bin"
    commands.mkdir()
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is missing")
    wrapper = commands / "make"
    wrapper.write_text(f'#!/bin/sh\nexec {make} --no-print-directory -o dev-env BIN="{python}" "$@"\n')
    wrapper.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SYNAPSE_", "MAKE", "PYTHON"))
    }
    # hatchling is here already. Git's own width would depend on the terminal.
    return kept | {
        "PATH": f"{commands}{os.pathsep}{python}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PIP_NO_BUILD_ISOLATION": "false",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command, a quoted one over several lines, and what the page says it prints."""
    lines = block.splitlines(keepends=True)
    while lines:
        assert lines[0].startswith("$ "), lines[0]
        command = lines.pop(0)[2:]
        while command.count('"') % 2:
            command += lines.pop(0)
        printed = ""
        while lines and not lines[0].startswith("$ "):
            printed += lines.pop(0)
        yield command, printed


def edit(folder: Path, block: str) -> None:
    """Do what a diff without line numbers says: its old lines are there once."""
    header, _, body = block.partition("\n")
    path = folder / header.removeprefix("--- ")
    text = path.read_text(encoding="utf-8")
    for hunk in re.split(r"^@@\n", body, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"{path.name} has this {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def plain(printed: str, url: str) -> str:
    """Without what differs from one run to the next."""
    printed = printed.replace(url, URL).replace(str(Path(sys.executable).parent), ".venv/bin")
    printed = re.sub(r"Makefile:\d+: ", "Makefile: ", printed)
    printed = re.sub(r"(?m)^\.+ +\[100%\]\n", "", printed)
    # How many tests there are by then is no matter of this page.
    printed = re.sub(r"\d+ passed", "6 passed", printed)
    return re.sub(r" in \d+\.\d+s( \([\d:]+\))?", " in 1.00s", printed)


def test_the_page_s_commands_print_what_it_says(checkout: Path) -> None:
    spec = spec_document.read(checkout / "spec" / "openapi.yaml")
    env = variables(checkout)
    page = PAGE.read_text(encoding="utf-8")
    shown: list[str] = []
    happened: list[str] = []
    with Server(document(newer(spec))) as server:
        for language, block in BLOCK.findall(page):
            if language == "diff":
                edit(checkout, block)
                continue
            told = ""
            for command, _ in commands(block):
                done = subprocess.run(
                    ["bash", "-c", command.replace(URL, server.url)],
                    cwd=checkout,
                    env=env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                )
                if any(word in done.stdout for word in ("registry can't be reached", "can't be fetched")):
                    pytest.skip(f"npm's registry can't be reached, and {redocly.REDOCLY} is not in its cache")
                told += f"$ {command}{plain(done.stdout, server.url)}"
            shown.append(block)
            happened.append(told)
    if os.environ.get("UPDATE_REHEARSAL"):
        for old, new in zip(shown, happened, strict=True):
            page = page.replace(f"```shell-session\n{old}```", f"```shell-session\n{new}```")
        PAGE.write_text(page, encoding="utf-8")
        return
    assert happened == shown, (
        "if that is meant: UPDATE_REHEARSAL=1 python -m pytest tests/spec/test_rehearsal.py"
    )
