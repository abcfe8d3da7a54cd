"""`make spec-diff`: each change is reported, and marked as breaking on the wire or for Python users."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from tables import each_row

from tools.spec import document as spec_document
from tools.spec import fetch as spec_fetch
from tools.spec.diff import command as spec_diff
from tools.spec.diff.changes import Change

from .small_spec import Spec, small, write

OK, BREAKING, NOTHING = "ok", "BREAKING", "-"
METHODS = ("get", "put", "post", "patch", "delete")
# Each with the subject that it is reported under, and how: on the wire, for Python users.
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
    assert "- **Breaking:** `get_system_status`: `GET /system/status/` is `GET /system/state/` now.\n" in said
    assert "- `list_nodes()` takes `limit` as well.\n" in said


def test_what_breaks_nobody_exits_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = small()
    new["components"]["schemas"]["Thing"]["properties"]["size"] = {"type": "integer"}
    code, said = run(tmp_path, small(), new, capsys)
    assert code == 0
    assert said.splitlines() == [
        "Thing",
        "  wire    ok        `size` is new",
        "  wire    ok        in requests, `size` is taken as well",
        "  python  ok        `Thing.size` is new",
        "put_thing",
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
def test_nothing_outside_the_document_is_followed(
    which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = {"old": small(), "new": small()}
    specs[which]["components"]["schemas"]["Thing"]["properties"]["x"] = {"$ref": "http://127.0.0.1:9/"}
    paths = []
    for name, spec in specs.items():
        (tmp_path / name).mkdir()
        paths.append(str(write(tmp_path / name, spec)))
    assert spec_diff.main([paths[0], "--spec", paths[1]]) == 2
    assert "nothing outside the document is followed" in capsys.readouterr().err


BROKEN = Change("x", "python", True, "x")
NEW = Change("x", "wire", False, "x", new=True)
SAID = Change("x", "wire", False, "x")


@each_row(
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
    def got(url: str, *, strict: bool) -> Any:
        assert not strict
        assert url == "http://127.0.0.1:8000/"
        return small()

    monkeypatch.setattr(spec_diff, "fetch", got)
    document, version = spec_diff.base_of("http://127.0.0.1:8000/")
    assert document == small()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert spec_fetch.is_url("file:///etc/passwd") is False


# What FastAPI writes of an app that nobody wrote for this generator.
STOCK: Spec = {
    "openapi": "3.1.0",
    "info": {"title": "Stock", "version": "1"},
    "paths": {
        "/items/{item_id}": {
            "get": {
                "operationId": "read_item_items__item_id__get",
                "parameters": [
                    {"name": "item_id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "q", "in": "query", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
                ],
                "responses": {
                    "200": {"description": "x", "content": {"application/json": {"schema": {}}}},
                    "422": {"description": "x"},
                },
            },
            "put": {
                "tags": ["a", "B C"],
                "responses": {"200": {"$ref": "#/paths/~1items~1%7Bitem_id%7D/get/responses/200"}},
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/a-b"}}}
                },
            },
        }
    },
    "components": {
        "schemas": {
            "a-b": {
                "title": "A B",
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "properties": {"x": True, "y": {"$ref": "#/components/schemas/a-b/properties/x"}},
                "additionalProperties": False,
            }
        }
    },
}


def in_3_0(spec: Spec) -> Spec:
    """The same with the words of OpenAPI 3.0."""
    old = copy.deepcopy(spec)
    old["openapi"] = "3.0.3"
    query = old["paths"]["/items/{item_id}"]["get"]["parameters"][1]
    query["schema"] = {"type": "string", "nullable": True}
    old["components"]["schemas"]["a-b"]["properties"]["x"] = {}
    return old


def test_any_document_can_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, STOCK, STOCK, capsys) == (0, "no changes\n")
    new = copy.deepcopy(STOCK)
    new["paths"]["/items/{id}"] = new["paths"].pop("/items/{item_id}")
    operation_ = new["paths"]["/items/{id}"]["get"]
    operation_["parameters"][0]["name"] = "id"
    operation_["parameters"][1]["required"] = True
    new["paths"]["/items/{id}"]["put"]["responses"]["200"] = operation_["responses"]["200"]
    found = spec_diff.compare(STOCK, new)
    assert [(change.subject, change.words) for change in found if change.breaking] == [
        ("read_item_items__item_id__get", "in requests, `q` is required")
    ]
    assert {change.words.partition(":")[0] for change in found if change.side == "python"} == {
        "there was none"
    }


def test_openapi_3_0_says_the_same_in_other_words(tmp_path: Path) -> None:
    for name, spec in (("old.json", in_3_0(STOCK)), ("new.json", STOCK)):
        (tmp_path / name).write_text(json.dumps(spec))
    pair = [spec_document.read(tmp_path / name, strict=False) for name in ("old.json", "new.json")]
    assert [change for change in spec_diff.compare(*pair) if change.breaking] == []
    assert {change.words for change in spec_diff.compare(*pair) if change.side == "wire"} == {
        "is written otherwise"
    }


def deep(levels: int) -> Spec:
    schema: Spec = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def chained(spec: Spec) -> None:
    """Named schemas, each a property of the one before."""
    schemas = spec["components"]["schemas"]
    schemas["Thing"]["properties"]["next"] = {"$ref": "#/components/schemas/T0"}
    for number in range(3000):
        following = {"$ref": f"#/components/schemas/T{number + 1}"}
        schemas[f"T{number}"] = {"type": "object", "properties": {"next": following}}
    schemas["T3000"] = {"type": "string"}


def multiplied(spec: Spec) -> None:
    """A product of unions."""
    union = [{"type": "object", "properties": {f"p{n}": {"type": "string"}}} for n in range(20)]
    spec["components"]["schemas"]["Thing"] = {"allOf": [{"anyOf": union} for _ in range(10)]}


def test_yaml_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_text(
        "openapi: 3.0.3\ninfo: {title: T, version: 1.0}\npaths:\n  /a:\n    get:\n      responses:\n"
        "        200: {description: x, headers: {Since: {schema: {type: string, example: 2026-01-01}}}}\n"
    )
    document = spec_document.read(path, strict=False)
    assert list(document["paths"]["/a"]["get"]["responses"]) == ["200"]
    assert spec_diff.compare(document, json.loads(json.dumps(document))) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda spec: spec.update(openapi="2.0"), "not OpenAPI 3.0 or 3.1"),
        (lambda spec: spec["components"]["schemas"]["Thing"].update(properties=[1]), "not valid OpenAPI"),
        (lambda spec: spec["components"]["schemas"]["Thing"].update(allOf=3), "not valid OpenAPI"),
        (lambda spec: spec["paths"].update({"/x": {"get": {"responses": {"200": {"content": 1}}}}}), ""),
        (lambda spec: spec["components"]["schemas"]["Thing"].update(deep(400)), "nested more than 64 deep"),
        (chained, "deeper than can be compared"),
        (multiplied, "more alternatives than can be compared"),
    ],
)
def test_documents_that_can_t_be_compared_are_refused(
    change: Callable[[Spec], None], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = small()
    change(spec)
    path = str(write(tmp_path, spec))
    code = spec_diff.main([path, "--spec", path])
    assert (code == 2) == bool(message)
    assert message in capsys.readouterr().err
