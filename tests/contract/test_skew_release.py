"""Skew: the client of each release, as its spec generates it, against an agent of today."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT, environment
from running_agent import RunningAgent

from tools.codegen import generate

from .agent_spec import RAW, SPEC

pytestmark = pytest.mark.slow

# `make spec-diff` keeps them from being broken unseen; a release adds its own.
RELEASES = sorted((ROOT / "tests" / "spec" / "releases").glob("*.yaml"))


@pytest.fixture(scope="module", params=RELEASES, ids=[path.stem for path in RELEASES])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A release's spec, and the folder with what it generates."""
    folder = tmp_path_factory.mktemp("release")
    generate.generate(request.param, folder / "synapse_agent_api")
    return request.param, folder


def walk(release: tuple[Path, Path], *arguments: str, **variables: str) -> dict[str, str]:
    spec, folder = release
    packages = os.pathsep.join(map(str, (folder, ROOT / "src", ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-m", "contract.release_walk", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(PYTHONPATH=packages, SYNAPSE_TEST_SPEC=str(spec), **variables),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_there_is_a_release() -> None:
    # The first one stands for itself until it is out.
    assert "0.1.0" in [path.stem for path in RELEASES]


def test_a_release_s_client_works_with_today_s_spec(release: tuple[Path, Path]) -> None:
    assert walk(release, str(SPEC)) == {}


def test_what_would_break_it_is_seen(release: tuple[Path, Path], tmp_path: Path) -> None:
    spec = copy.deepcopy(RAW)
    del spec["paths"]["/tasks/"]
    answer = spec["paths"]["/nodes/"]["get"]["responses"]["200"]["content"]
    answer["application/json"]["schema"] = {"type": "object", "example": {"nodes": []}}
    required = spec["components"]["schemas"]["FeasibilityRequest"]
    required["properties"]["needed"] = {"type": "string", "example": "x"}
    required["required"].append("needed")
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    found = walk(release, str(path))
    assert found.keys() == {"check_feasibility", "list_nodes", "list_tasks"}
    assert "this agent has no GET tasks/" in found["list_tasks"]
    assert "expected list of Node, got an object" in found["list_nodes"]
    assert "body.needed: Field required" in found["check_feasibility"]


@pytest.mark.ray
def test_a_release_s_client_works_with_today_s_agent(release: tuple[Path, Path], agent: RunningAgent) -> None:
    assert walk(release, SYNAPSE_AGENT_URL=agent.url, SYNAPSE_AGENT_TOKEN=agent.token) == {}
