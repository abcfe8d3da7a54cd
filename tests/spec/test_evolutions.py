"""What a spec may become: its client is generated and does what its types say, or it is refused by name.

The table is in tests/spec/evolutions. All evolutions that generate are one spec, generated once.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT

from tools.codegen import generate

from .evolution_cases import GENERATED, REFUSED, Case, name_of, spec_of

HERE = Path(__file__).parent


def build(folder: Path, cases: list[Case]) -> Path:
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(spec_of(cases)), encoding="utf-8")
    generate.generate(spec, folder / "synapse_agent_api")
    return folder


@pytest.fixture(scope="session")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client that has all evolutions."""
    return build(tmp_path_factory.mktemp("evolved"), GENERATED)


@pytest.fixture(scope="session")
def outcome(evolved: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What was wrong with the calls of each evolution."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(evolved), str(HERE)])}
    folder = tmp_path_factory.mktemp("files")
    command = [sys.executable, str(HERE / "evolved_client.py"), str(folder)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_there_are_as_many_as_promised() -> None:
    names = [name_of(case) for case in GENERATED]
    assert len(names) == len(set(names)) >= 100
    assert len(REFUSED) >= 20


@pytest.mark.parametrize("case", GENERATED, ids=name_of)
def test_the_client_sends_and_decodes_what_its_types_say(case: Case, outcome: dict[str, list[str]]) -> None:
    assert outcome[name_of(case)] == [], case["about"]


def test_the_types_are_those_that_are_promised(evolved: Path, tmp_path: Path) -> None:
    lines = [
        "import datetime, io",
        "from collections.abc import AsyncIterator, Iterator",
        "from typing import Any, assert_type",
        "import synapse_agent_api.models as m",
        "from synapse_agent_api.types import Model",
        "from synapse_agent_api.api import AgentApi, AsyncAgentApi",
        "__all__ = ['Any', 'AsyncAgentApi', 'AsyncIterator', 'Iterator', 'Model', 'datetime', 'io', 'm']",
        "FILE = OUT = 'a path'",
        "SINK = io.BytesIO()",
    ]
    about: dict[int, str] = {}
    for case in GENERATED:
        if "raises" not in case:
            name = name_of(case)
            lines.append(f"def {name}(client: AgentApi) -> None:")
            lines.append(f"    assert_type(client.{case['call']}, {case.get('type', 'None')})")
            about[len(lines) - 1] = case["about"]
    (evolved / "calls.py").write_text("\n".join([*lines, ""]), encoding="utf-8")
    settings = {
        "include": ["synapse_agent_api", "calls.py"],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        # As in pyproject.toml.
        "enableTypeIgnoreComments": False,
    }
    (evolved / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=evolved, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)["generalDiagnostics"]
    said = [
        f"{Path(item['file']).name}:{item['range']['start']['line'] + 1}: "
        f"{about.get(item['range']['start']['line'], '')}: {item['message']}"
        for item in found
    ]
    assert said == []


@pytest.mark.parametrize("case", REFUSED, ids=name_of)
def test_what_can_not_be_right_is_refused_with_the_place_and_the_way_out(case: Case, tmp_path: Path) -> None:
    with pytest.raises(generate.GenerationError) as caught:
        build(tmp_path, [case])
    lines = str(caught.value).splitlines()
    form = re.compile(
        rf"{re.escape(case['where'])}[^ ]*: .*{re.escape(case['what'])}.*; .*{re.escape(case['mend'])}"
    )
    assert any(form.match(line) for line in lines), "\n".join(lines)


def test_the_contract_tests_hold_for_any_sound_spec(evolved: Path, tmp_path: Path) -> None:
    # Without examples, with schemas that come back to themselves, and with every kind of parameter and body.
    folder = ROOT / "tests" / "contract"
    files = [folder / f"test_client_{name}.py" for name in ("requests", "answers", "errors")]
    env = os.environ | {"SYNAPSE_TEST_SPEC": str(evolved / "openapi.json")}
    # What hypothesis makes is as much as all the others, and tells no more of the spec.
    chosen = ["-k", "not every_request_is_valid and not any_answer and not any_body"]
    path = f"pythonpath={evolved} src tests ."
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=line",
        "-p",
        "no:cacheprovider",
        "-o",
        path,
        *chosen,
    ]
    done = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_spec_without_models(tmp_path: Path) -> None:
    raw = spec_of([next(case for case in GENERATED if name_of(case) == "get_text")])
    del raw["components"]
    (tmp_path / "openapi.json").write_text(json.dumps(raw), encoding="utf-8")
    generate.generate(tmp_path / "openapi.json", tmp_path / "synapse_agent_api")
    code = "import synapse_agent_api.models as m; from synapse_agent_api.api import AgentApi; print(dir(m))"
    env = {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
