"""`make spec-diff`: each change is told, and marked as breaking or not, on the wire and for Python users."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _fetch
import _redocly
import pytest
import spec_diff
import spec_document
from _changes import Change
from checkout import ROOT

from .small_spec import Spec, small, write

OK, BREAKING, NOTHING = "ok", "BREAKING", "-"
METHODS = ("get", "put", "post", "patch", "delete")
# Each with the subject that it is told under, and how: on the wire, for Python users.
SEEDED: list[tuple[str, str, str, str, Callable[[Spec], None]]] = []


def seeded(name: str, subject: str, wire: str, python: str) -> Callable[[Callable[[Spec], None]], None]:
    def register(change: Callable[[Spec], None]) -> None:
        SEEDED.append((name, subject, wire, python, change))

    return register


def operation(spec: Spec, name: str) -> Spec:
    (found,) = [
        item[method]
        for item in spec["paths"].values()
        for method in METHODS
        if method in item and item[method]["operationId"] == name
    ]
    result: Spec = found
    return result


def properties(spec: Spec, name: str) -> Spec:
    found: Spec = spec["components"]["schemas"][name]["properties"]
    return found


@seeded("an operation is removed", "get_task", BREAKING, BREAKING)
def _(spec: Spec) -> None:
    del spec["paths"]["/tasks/{task_id}/"]


@seeded("an operation is added", "list_actors", OK, OK)
def _(spec: Spec) -> None:
    added = copy.deepcopy(spec["paths"]["/nodes/"])
    added["get"]["operationId"] = "list_actors"
    spec["paths"]["/actors/"] = added


@seeded("an answer gains a field", "Job", OK, OK)
def _(spec: Spec) -> None:
    properties(spec, "Job")["queue"] = {"type": "string", "description": "Its queue.", "example": "a"}


@seeded("a field of an answer is renamed", "ComposeConfig", BREAKING, BREAKING)
def _(spec: Spec) -> None:
    fields = properties(spec, "ComposeConfig")
    fields["folder"] = fields.pop("working_dir")
    spec["components"]["schemas"]["ComposeConfig"]["required"] = ["folder", "config_files", "is_gpu_mode"]


@seeded("an answer's enum gains a value", "TaskState", OK, OK)
def _(spec: Spec) -> None:
    spec["components"]["schemas"]["TaskState"]["enum"].append("PAUSED")


@seeded("a field's type is another", "GpuSummary", BREAKING, BREAKING)
def _(spec: Spec) -> None:
    properties(spec, "GpuSummary")["total_gpus"] = {
        "type": "string",
        "description": "How many.",
        "example": "4",
    }


@seeded("a body's field becomes required", "FeasibilityRequest", BREAKING, NOTHING)
def _(spec: Spec) -> None:
    spec["components"]["schemas"]["FeasibilityRequest"]["required"].append("memory_bytes")


# The same, as the method that sends the body.
SEEDED.append(("", "check_feasibility", NOTHING, BREAKING, lambda spec: None))


@seeded("security is added", "health_check", BREAKING, BREAKING)
def _(spec: Spec) -> None:
    spec["components"]["securitySchemes"]["user"] = {"type": "apiKey", "in": "header", "name": "X-User"}
    operation(spec, "health_check")["security"] = [{"agentToken": [], "user": []}]


SEEDED.append(("", "user", OK, NOTHING, lambda spec: None))


@seeded("an operation's tag is another", "get_gpu_status", OK, BREAKING)
def _(spec: Spec) -> None:
    operation(spec, "get_gpu_status")["tags"] = ["system"]


@seeded("an operationId is another", "fetch_node", OK, OK)
def _(spec: Spec) -> None:
    operation(spec, "get_node")["operationId"] = "fetch_node"


SEEDED.append(("", "get_node", NOTHING, BREAKING, lambda spec: None))


@seeded("a description says more", "stop_job", OK, NOTHING)
def _(spec: Spec) -> None:
    operation(spec, "stop_job")["description"] = "Asks the job to stop. It takes a while."


@seeded("a query gains an optional parameter", "list_nodes", OK, OK)
def _(spec: Spec) -> None:
    limit = {"name": "limit", "in": "query", "description": "How many.", "schema": {"type": "integer"}}
    operation(spec, "list_nodes")["parameters"] = [limit]


@seeded("a path is another", "get_system_status", BREAKING, NOTHING)
def _(spec: Spec) -> None:
    spec["paths"]["/system/state/"] = spec["paths"].pop("/system/status/")


@seeded("a default is another", "get_cluster_resources", BREAKING, BREAKING)
def _(spec: Spec) -> None:
    spec["components"]["parameters"]["UseCache"]["schema"]["default"] = False


@seeded("an alias is dropped", "get_job_logs", NOTHING, BREAKING)
def _(spec: Spec) -> None:
    del operation(spec, "get_job_logs")["x-aliases"]


@seeded("an error is another class", "create_docker_container", NOTHING, BREAKING)
def _(spec: Spec) -> None:
    response = copy.deepcopy(spec["components"]["responses"]["GpuUnavailable"])
    del response["x-error-class"]
    operation(spec, "create_docker_container")["responses"]["503"] = response


@seeded("a field of an answer is never null any more", "BuildAccepted", OK, OK)
def _(spec: Spec) -> None:
    properties(spec, "BuildAccepted")["ws_url"]["type"] = "string"


def run(folder: Path, old: Spec, new: Spec, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "old").mkdir()
    (folder / "new").mkdir()
    code = spec_diff.main([str(write(folder / "old", old)), "--spec", str(write(folder / "new", new))])
    said = capsys.readouterr()
    if "npm's registry can't be reached" in said.err:
        pytest.skip(f"npm's registry can't be reached, and {_redocly.REDOCLY} is not in its cache")
    assert said.err == ""
    return code, said.out


def marks(said: str) -> dict[str, tuple[str, str]]:
    """Under each subject, the worse of its marks for either side."""
    found: dict[str, dict[str, str]] = {}
    subject = ""
    for line in said.partition("\n\n")[0].splitlines():
        if not line.startswith(" "):
            subject = line
            continue
        side, mark = line.split()[:2]
        sides = found.setdefault(subject, {})
        if sides.get(side) != BREAKING:
            sides[side] = mark
    return {name: (sides.get("wire", NOTHING), sides.get("python", NOTHING)) for name, sides in found.items()}


def test_seeded_changes_are_classified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = spec_document.read(ROOT / "spec" / "openapi.yaml")
    new = copy.deepcopy(old)
    for _, _, _, _, change in SEEDED:
        change(new)
    code, said = run(tmp_path, old, new, capsys)
    assert marks(said) == {subject: (wire, python) for _, subject, wire, python, _ in SEEDED}
    assert code == 1
    assert "next version: 0.2.0, after 0.1.0\n" in said
    assert "- **Breaking:** `ComposeConfig.working_dir` is gone.\n" in said
    assert "- **Breaking:** `get_node()` is gone.\n" in said
    assert (
        "- **Breaking:** `get_system_status`: Path `/system/status/` was renamed to `/system/state/`.\n"
        in said
    )
    assert "- `list_nodes()` takes `limit` as well.\n" in said


def test_what_breaks_nobody_exits_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = small()
    new["components"]["schemas"]["Thing"]["properties"]["size"] = {"type": "integer"}
    code, said = run(tmp_path, small(), new, capsys)
    assert code == 0
    assert said.splitlines() == [
        "Thing",
        "  wire    ok        `size` is new",
        "  python  ok        `Thing.size` is new",
        "put_thing",
        "  wire    ok        `size` is taken as well",
        "  python  ok        `put_thing()` takes `size` as well",
        "",
        "4 changes: 0 breaking on the wire, 0 breaking for Python users",
        "",
        "next version: 0.1.1, after 0.1.0",
        "",
        "for CHANGELOG.md:",
        "",
        "## 0.1.1",
        "",
        "- `Thing.size` is new.",
        "- `put_thing()` takes `size` as well.",
    ]


def test_nothing_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, small(), small(), capsys) == (0, "no changes\n")


@pytest.mark.parametrize("which", ["old", "new"])
def test_what_breaks_a_rule_is_refused_before_any_tool_reads_it(
    which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_redocly, "run", lambda *_, **__: pytest.fail("Redocly has read it"))
    specs = {"old": small(), "new": small()}
    specs[which]["components"]["schemas"]["Thing"]["properties"]["x"] = {"$ref": "http://127.0.0.1:9/"}
    paths = []
    for name, spec in specs.items():
        (tmp_path / name).mkdir()
        paths.append(str(write(tmp_path / name, spec)))
    assert spec_diff.main([paths[0], "--spec", paths[1]]) == 2
    assert "nothing outside `#/components/` is followed" in capsys.readouterr().err


BROKEN = Change("x", "python", True, "x")
NEW = Change("x", "wire", False, "x", new=True)
SAID = Change("x", "wire", False, "x")


@pytest.mark.parametrize(
    ("version", "changes", "expected"),
    [
        ("0.1.0", [BROKEN], "0.2.0"),
        ("0.1.0", [NEW], "0.1.1"),
        ("1.2.3", [BROKEN, NEW], "2.0.0"),
        ("1.2.3", [NEW, SAID], "1.3.0"),
        ("1.2.3", [SAID], "1.2.4"),
        ("1.2.3", [], "1.2.3"),
    ],
)
def test_the_next_version_is_semver(version: str, changes: list[Change], expected: str) -> None:
    assert spec_diff.next_version(version, changes) == expected


@pytest.mark.skipif(shutil.which("git") is None, reason="git is missing")
def test_the_base_is_a_git_ref(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        names = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *names, *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "spec").mkdir()
    (tmp_path / "spec" / "openapi.yaml").write_text(json.dumps(small()))
    (tmp_path / "src" / "synapse_sdk").mkdir(parents=True)
    (tmp_path / "src" / "synapse_sdk" / "__init__.py").write_text('__version__ = "0.7.0"\n')
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    git("tag", "v0.7.0")
    monkeypatch.setattr(spec_diff, "ROOT", tmp_path)
    assert spec_diff.base_of("v0.7.0") == (small(), "0.7.0")
    for ref in ("v0.8.0", "--output=x", "HEAD:spec"):
        with pytest.raises(spec_document.SpecError, match="no file, URL, or git ref"):
            spec_diff.base_of(ref)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "spec", "src"]


def test_the_base_is_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    def got(url: str) -> Any:
        assert url == "http://127.0.0.1:8000/"
        return small()

    monkeypatch.setattr(spec_diff, "fetch", got)
    document, version = spec_diff.base_of("http://127.0.0.1:8000/")
    assert document == small()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert _fetch.is_url("file:///etc/passwd") is False
