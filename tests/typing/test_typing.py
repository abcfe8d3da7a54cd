"""Types as users get them: complete, and pinned by the other files here, which `make types` checks."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT, environment

from synapse_sdk.clients import agent
from synapse_sdk.clients.agent._helpers import AsyncRawClient, RawClient

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CLIENTS = {
    "AgentClient": agent.AgentClient,
    "AsyncAgentClient": agent.AsyncAgentClient,
    "RawClient": RawClient,
    "AsyncRawClient": AsyncRawClient,
}


def verified(package: str, folder: Path) -> dict[str, Any]:
    """What `pyright --verifytypes` says of a package that is imported elsewhere."""
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    # Not from the checkout, whose configuration a user has not.
    done = subprocess.run(
        [*command, "--verifytypes", package, "--ignoreexternal"],
        cwd=folder,
        env=environment(PYRIGHT_PYTHON_IGNORE_WARNINGS="1"),
        check=False,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)["typeCompleteness"]


@pytest.mark.parametrize(("package", "source"), [("synapse_sdk", "src"), ("synapse_agent_api", "generated")])
def test_every_public_name_has_a_type(tmp_path, package, source):
    told = verified(package, tmp_path)
    assert Path(told["pyTypedPath"]) == ROOT / source / package / "py.typed"
    wanting = [
        f"{symbol['name']}: {problem['message']}"
        for symbol in told["symbols"]
        for problem in symbol["diagnostics"]
        if problem["severity"] == "error"
    ]
    assert not wanting
    assert told["completenessScore"] == 1
    # Of a class that a public module takes from a private one, pyright counts the members with the others.
    counts = [told["exportedSymbolCounts"], told["otherSymbolCounts"]]
    assert sum(count["withUnknownType"] for count in counts) == 0
    assert sum(count["withKnownType"] for count in counts) > 500


def pinned() -> dict[str, set[str]]:
    """The attributes of each client that the files here use."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in HERE.glob("*.py"):
        if path.name in {"wrong.py", Path(__file__).name}:
            continue
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            names = {item.arg: ast.unparse(item.annotation) for item in function.args.args if item.annotation}
            if "client" in names:
                names["raw"] = names["client"].replace("AgentClient", "RawClient")
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    owner = node.value.id
                    found[names.get(owner, owner)].add(node.attr)
    return found


@pytest.mark.parametrize("name", CLIENTS)
def test_every_method_is_pinned(name):
    public = {attribute for attribute in dir(CLIENTS[name]) if not attribute.startswith("_")}
    assert len(public) > 30
    assert public - pinned()[name] == set()
