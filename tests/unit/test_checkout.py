"""What is tested is one installation, in this process and in its children."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT, environment, python_path, under_test
from running_agent import agent_environment

IMPORTED = (
    "import json, synapse_agent, synapse_agent_api, synapse_sdk; "
    "print(json.dumps([m.__file__ for m in (synapse_agent, synapse_agent_api, synapse_sdk)]))"
)


@pytest.mark.parametrize("kind", ["command", "agent"])
def test_children_import_what_their_parent_does(kind: str, tmp_path: Path) -> None:
    variables = environment() if kind == "command" else agent_environment(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env=variables,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert {Path(name).parent for name in json.loads(done.stdout)} == set(under_test().values())


def test_folders_can_be_added(tmp_path: Path) -> None:
    assert python_path(tmp_path)["PYTHONPATH"].endswith(str(tmp_path))


def test_installed_means_no_checkout() -> None:
    """`--installed` refuses what pytest's own settings put on the path."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--installed",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, __file__],
        env=environment(PYTHONPATH=str(ROOT / "src")),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"--installed, but imported would be {ROOT / 'src' / 'synapse_sdk'}" in done.stderr
