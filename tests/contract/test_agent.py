"""Agent → spec: schemathesis sends what the spec allows and forbids to an agent, the real and the fake.

Examples, coverage and stateful phases over every operation (schemathesis.toml): no server error but those
documented, every answer valid, bad credentials refused, bad input refused by name (agent_checks.py).
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from checkout import environment
from running_agent import RunningAgent

from .agent_spec import OPERATIONS, SPEC, TESTED, Operation, each_operation

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
STATEFUL = "Stateful tests"


@pytest.fixture(scope="module")
def failures(
    agent: RunningAgent, world: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What schemathesis found, by operation (`GET /jobs/`), and of sequences of them."""
    if find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed: it needs newer versions than the lowest (noxfile.py)")
    report = tmp_path_factory.mktemp("schemathesis") / "report.xml"
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(HERE / "schemathesis.toml"),
        "run",
    ]
    command += [str(SPEC), "--url", agent.url, "--header", f"Authorization: {agent.token}"]
    command += ["--report", "junit", "--report-junit-path", str(report)]
    if len(TESTED) < len(OPERATIONS):
        command += [part for item in TESTED for part in ("--include-operation-id", item.id)]
    done = subprocess.run(
        command,
        cwd=report.parent,
        env=environment(SCHEMATHESIS_HOOKS="agent_checks") | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return {
        str(case.get("name")): [
            str(found.get("message")) for found in case if found.tag in ("failure", "error")
        ]
        for case in ElementTree.parse(report).iter("testcase")
    }


@each_operation
def test_an_operation_is_as_documented(failures: dict[str, list[str]], operation: Operation) -> None:
    label = f"{operation.method} {operation.path}"
    assert label in failures, "schemathesis did not test it"
    assert not failures[label], "\n".join(failures[label])


@pytest.mark.skipif(len(TESTED) < len(OPERATIONS), reason="a few operations make no sequence")
def test_sequences_of_operations_are_as_documented(failures: dict[str, list[str]]) -> None:
    assert not failures[STATEFUL], "\n".join(failures[STATEFUL])


@pytest.mark.skipif(not TESTED, reason="nothing was tested")
def test_nothing_else_was_found(failures: dict[str, list[str]]) -> None:
    documented = {f"{operation.method} {operation.path}" for operation in OPERATIONS}
    assert {name for name, found in failures.items() if found} <= documented | {STATEFUL}
