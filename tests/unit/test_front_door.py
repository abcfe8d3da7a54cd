"""The Makefile, .github/ and CONTRIBUTING.md: what they name exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
TARGETS = {
    target
    for line in re.findall(r"^([a-z -]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in line.split()
}
TEXTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / ".github").rglob("*.*"),
    ROOT / ".ci" / "run",
]
_MAKE = re.compile(r"(?:`|\$ |exec |run: )make ([^`\n]+)")


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_help_lists_at_most_fifteen_targets() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    listed = re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.MULTILINE)
    assert 10 < len(listed) <= 15
    assert set(listed) <= TARGETS


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_that_are_named_exist(text: Path) -> None:
    commands = (re.split(r" #| -", command)[0] for command in _MAKE.findall(text.read_text()))
    named = {word for command in commands for word in command.split() if re.fullmatch(r"[a-z-]+", word)}
    assert named - TARGETS == set()


def test_ci_runs_what_everybody_runs() -> None:
    assert any(".ci/run" in step.get("run", "") for step in steps(ROOT / ".github" / "workflows" / "ci.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_name_no_package_index_and_pin_their_actions(workflow: Path) -> None:
    assert not re.search(r"pypi|index-url|registry", workflow.read_text(), re.IGNORECASE)
    actions = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert [action for action in actions if not re.search(r"@v\d+$", action)] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_forms_have_what_github_wants(form: Path) -> None:
    content = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= content.keys()
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 0
    assert all(field["attributes"]["label"] for field in fields)
