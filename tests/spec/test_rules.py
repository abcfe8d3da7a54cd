"""`make spec-lint`: each rule finds what it is for, and says how to mend it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT, environment
from tables import each_row

from tools.spec import document as spec_document
from tools.spec import lint as spec_lint
from tools.spec import rules as spec_rules

from .small_spec import Spec, schema, small, write

Change = Callable[[Spec], Any]


def get(spec: Spec) -> Spec:
    found: Spec = spec["paths"]["/things/{thing_id}/"]["get"]
    return found


TOLD = {"description": "X.", "example": "x"}

# Those that are sound are tried in test_hostile.py.
BROKEN: dict[str, tuple[Change, str]] = {
    "version": (lambda spec: spec.update(openapi="3.0.3"), "#/openapi: OpenAPI 3.0.3; write it in 3.1"),
    "security": (lambda spec: get(spec).pop("security"), "get: no security of its own; name it here"),
    "tag-declared": (
        lambda spec: spec.pop("tags"),
        "the tag things is not described; add it to the list of tags",
    ),
    "named": (
        lambda spec: schema(spec)["properties"].update(
            x={**TOLD, "type": "object", "properties": {"y": {**TOLD, "type": "string"}}}
        ),
        "#/components/schemas/Thing/properties/x: an object without a name; move it to components/schemas",
    ),
    "named enum": (
        lambda spec: schema(spec)["properties"].update(x={**TOLD, "type": "string", "enum": ["a"]}),
        "an enum without a name; move it to components/schemas",
    ),
    "named map": (
        lambda spec: schema(spec)["properties"].update(
            x={**TOLD, "type": "object", "additionalProperties": True}
        ),
        "a free-form object without a name; refer to JsonObject",
    ),
    "described": (
        lambda spec: schema(spec)["properties"].update(x={"type": "string", "example": "x"}),
        "Thing/properties/x: a property without a description; say what it is, and in which unit",
    ),
    "described example": (
        lambda spec: schema(spec)["properties"].update(x={"type": "string", "description": "X."}),
        "Thing/properties/x: a property without an example; give it one",
    ),
    "nullable": (
        lambda spec: schema(spec)["properties"]["name"].update(nullable=True),
        "nullable, which 3.1 has no more; write type: [string, 'null']",
    ),
    "nullable enum": (
        lambda spec: schema(spec, "Kind").update(type=["string", "null"]),
        "an enum or an object that may be null; write oneOf: [{$ref: …}, {type: 'null'}]",
    ),
    "error-response": (
        lambda spec: get(spec)["responses"].update({"409": {"description": "No."}}),
        "responses/409: an error that is written out; put it into components/responses",
    ),
    "example": (
        lambda spec: schema(spec)["properties"]["name"].update(examples=["a"]),
        "`examples`, which the generator leaves out of docstrings; write one `example`",
    ),
    "not-generated": (
        lambda spec: spec.update(webhooks={}),
        "#/webhooks: webhooks, which the client has no words for",
    ),
    "text": (
        lambda spec: schema(spec).update(description="a\x1b[2Jb"),
        "#/components/schemas/Thing/description: has the control character U+001B; take it out",
    ),
    "extension": (
        lambda spec: get(spec).update({"x-alias": ["find_thing"]}),
        "x-alias, which nothing here reads; is it x-aliases",
    ),
    "extension class": (
        lambda spec: spec["components"]["responses"]["NotFound"].update({"x-error-class": "NoError"}),
        "x-error-class NoError, which synapse_sdk.clients.exceptions lacks; mend the name",
    ),
    "extension sample": (
        lambda spec: get(spec).update({"x-codeSamples": [{"lang": "Python", "source": "client.("}]}),
        "x-codeSamples/0: no Python: ",
    ),
}


def test_a_spec_that_breaks_none() -> None:
    assert spec_rules.check(small()) == []


def test_ours_breaks_none() -> None:
    assert spec_rules.check(spec_document.read(ROOT / "spec" / "openapi.yaml")) == []


@each_row("name", BROKEN)
def test_each_rule_says_how_to_mend(name: str) -> None:
    change, message = BROKEN[name]
    spec = small()
    change(spec)
    found = spec_rules.check(spec)
    assert {finding.rule for finding in found} == {name.partition(" ")[0]}
    assert message in str(found[0])
    # These are for authors: what they find can be generated.
    assert spec_rules.check(spec, sound_only=True) == []


def test_every_rule_is_tried() -> None:
    tried = {name.partition(" ")[0] for name in BROKEN}
    assert {name for name, (_, sound) in spec_rules.RULES.items() if not sound} == tried


def lint(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.spec.lint", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), cwd=ROOT)


def test_the_command_tells_every_place(tmp_path: Path) -> None:
    spec = small()
    get(spec)["tags"] = []
    schema(spec)["requierd"] = []
    done = lint(write(tmp_path, spec))
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "#/paths/~1things~1{thing_id}~1/get: exactly one tag is needed; "
        "name the one group of methods that it belongs to [tag]",
        "#/components/schemas/Thing: `requierd`, which no schema has; is it `required`? [schema-keyword]",
    ]
    assert done.stdout.endswith("2 broken rules\n")


def test_what_the_rules_refuse_is_shown_to_no_other_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small()
    schema(spec)["properties"]["x"] = {"$ref": "http://127.0.0.1:9/x"}
    shown: list[str] = []
    monkeypatch.setattr(spec_lint, "validate", lambda path: shown.append("validator"))
    monkeypatch.setattr(spec_lint, "run_redocly", lambda path: shown.append("Redocly"))
    assert spec_lint.main([str(write(tmp_path, spec))]) == 1
    assert shown == []


def test_what_others_find_counts(tmp_path: Path) -> None:
    spec = small()
    spec["info"] = {"title": "no version"}
    done = lint(write(tmp_path, spec))
    assert done.returncode == 1
    assert '"version" is a required property' in done.stdout
