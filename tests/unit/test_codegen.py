"""tools/codegen: deterministic, strict about its spec, and safe with whatever text the spec has."""

from __future__ import annotations

import ast
import copy
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row

from tools.codegen import command, generate, version
from tools.codegen.text import docstring, literal, paragraphs, section

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "generated" / "synapse_agent_api"


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.codegen", *map(str, arguments)]
    env = {
        "PATH": "/nonexistent",
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd="/")


def document(**changes: Any) -> dict[str, Any]:
    """A small spec."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Test", "version": "1"},
        "paths": {
            "/things/{thing_id}/": {
                "get": {
                    "operationId": "get_thing",
                    "tags": ["things"],
                    "parameters": [
                        {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}},
                    ],
                    "responses": {
                        "200": {
                            "description": "It.",
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                            },
                        }
                    },
                }
            }
        },
        "components": {"schemas": {"Thing": {"type": "object", "properties": {"name": {"type": "string"}}}}},
        **changes,
    }


def write(folder: Path, raw: dict[str, Any]) -> Path:
    path = folder / "openapi.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def build(folder: Path, raw: dict[str, Any]) -> Path:
    output = folder / "out" / "synapse_agent_api"
    shutil.rmtree(output.parent, ignore_errors=True)
    generate.generate(write(folder, raw), output)
    return output


def in_python(package: Path, code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd=package.parent, capture_output=True, text=True, check=False, env={"PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# The committed package


def test_the_committed_package_is_what_the_spec_generates():
    done = run("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("seed", ["0", "1"])
def test_hash_seeds_make_no_difference(tmp_path, seed):
    done = run("--output", tmp_path / "package", PYTHONHASHSEED=seed)
    assert (done.returncode, done.stderr) == (0, "")
    assert command.files(tmp_path / "package") == command.files(TARGET)


def test_surrounding_ruff_settings_make_no_difference(tmp_path, monkeypatch):
    (tmp_path / "ruff.toml").write_text('line-length = 20\nexclude = ["*"]\n')
    (tmp_path / ".ignore").write_text("*\n")
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "package"
    generate.generate(generate.SPEC, package)
    assert command.files(package) == command.files(TARGET)


def test_check_finds_a_changed_byte_a_stale_file_and_a_missing_one(tmp_path):
    copy_ = tmp_path / "synapse_agent_api"
    shutil.copytree(TARGET, copy_, ignore=shutil.ignore_patterns("__pycache__"))
    assert run("--check", "--output", copy_).returncode == 0
    changed = copy_ / "models" / "job.py"
    changed.write_bytes(changed.read_bytes() + b"\n")
    (copy_ / "models" / "left_over.py").write_text("")
    (copy_ / "py.typed").unlink()
    before = command.files(copy_)
    done = run("--check", "--output", copy_)
    assert done.returncode == 1
    listed = [line.strip() for line in done.stderr.splitlines()[1:]]
    assert listed == ["missing: py.typed", "stale:   models/left_over.py", "differs: models/job.py"]
    assert command.files(copy_) == before
    assert run("--output", copy_).returncode == 0
    assert command.files(copy_) == command.files(TARGET)


def test_check_of_nothing_fails(tmp_path):
    assert run("--check", "--output", tmp_path / "none").returncode == 1


def test_a_failure_leaves_the_package_alone(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "kept.py").write_text("")
    raw = document()
    raw["paths"]["/things/{thing_id}/"]["get"]["tags"] = []
    assert run("--spec", write(tmp_path, raw), "--output", package).returncode == 1
    assert list(command.files(package)) == ["kept.py"]


@pytest.mark.parametrize("found", ["0.29.0", "0.30.0", None])
def test_another_generator_is_refused(monkeypatch, found):
    def found_version(name: str) -> str:
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(version, "version", found_version)
    with pytest.raises(
        generate.GenerationError, match=r"openapi-python-client.*pip install.*==0\.29\.1"
    ) as caught:
        version.require_generator()
    assert found is None or found in str(caught.value)


def test_every_template_says_why_it_is_there():
    for template in (ROOT / "templates").iterdir():
        text = template.read_text(encoding="utf-8")
        assert text.startswith("{#\nReplaces "), template.name


# What a spec must be

WAIT = {"for": "thing", "result": "Other", "until": "it is done", "returns": "The other.", "timeout": 5}


def operation(raw: dict[str, Any]) -> dict[str, Any]:
    return raw["paths"]["/things/{thing_id}/"]["get"]


def broken(change: str) -> dict[str, Any]:
    raw = document()
    get, schemas = operation(raw), raw["components"]["schemas"]
    thing = schemas["Thing"]["properties"]
    schemas["Other"] = copy.deepcopy(schemas["Thing"])
    match change:
        case "no operationId":
            del get["operationId"]
        case "exactly one tag":
            get["tags"] = ["a", "b"]
        case "two operations called get_thing":
            raw["paths"]["/more/{thing_id}/"] = copy.deepcopy(raw["paths"]["/things/{thing_id}/"])
        case "two operations called find_thing":
            get["x-aliases"] = ["find_thing", "find_thing"]
        case "can't be a method's name":
            get["x-aliases"] = ["find thing(self): pass #"]
        case "x-wait has":
            get["x-wait"] = {**WAIT, "more": 1}
        case "four texts, and a number":
            get["x-wait"] = {**WAIT, "timeout": True}
        case "there is no model 'Nothing'":
            get["x-wait"] = {**WAIT, "result": "Nothing"}
        case "x-wait needs the name timeout":
            get["x-wait"] = WAIT
            get["parameters"].append({"name": "timeout", "in": "query", "schema": {"type": "string"}})
        case "is no class name":
            get["responses"]["404"] = {"description": "No.", "x-error-class": "A: b"}
        case "Could not find reference":
            thing["gone"] = {"$ref": "#/components/schemas/Gone"}
        case _:
            raise AssertionError(change)
    return raw


@pytest.mark.parametrize(
    "change",
    [
        "no operationId",
        "exactly one tag",
        "two operations called get_thing",
        "two operations called find_thing",
        "can't be a method's name",
        "x-wait has",
        "four texts, and a number",
        "there is no model 'Nothing'",
        "x-wait needs the name timeout",
        "is no class name",
        "Could not find reference",
    ],
)
def test_a_spec_that_would_lose_something_is_refused(tmp_path, change):
    with pytest.raises(generate.GenerationError, match=change):
        build(tmp_path, broken(change))


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "openapi: 3.1.0", "{}"])
def test_what_is_no_spec_is_refused(tmp_path, text):
    path = tmp_path / "openapi.yaml"
    path.write_text(text)
    done = run("--spec", path, "--output", tmp_path / "package")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert run("--spec", tmp_path / "none.yaml", "--output", tmp_path / "package").returncode == 1


# Shapes that the committed spec may not have


def test_bodies_and_types_of_every_kind(tmp_path):
    raw = document()
    free = {"type": "object", "additionalProperties": True}
    raw["components"]["schemas"] |= {
        "Free": free,
        "Tree": {
            "type": "object",
            "required": ["from", "class", "items"],
            "properties": {
                "from": {"type": "string"},
                "class": {"type": "string"},
                "items": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                "leaf": {"$ref": "#/components/schemas/Leaf"},
                "str": {"type": "string"},
                "kinds": {"type": "array", "items": {"$ref": "#/components/schemas/Kind"}},
                "by_name": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Leaf"}},
                "mixed": {"type": ["string", "integer", "null"]},
                "grid": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
                "day": {"type": "string", "format": "date"},
            },
        },
        "Leaf": {"type": "object", "properties": {"tree": {"$ref": "#/components/schemas/Tree"}}},
        "Kind": {"type": "string", "enum": ["a", "b-c", "1"]},
    }

    def answer(schema: dict[str, Any]) -> dict[str, Any]:
        return {"200": {"description": "It.", "content": {"application/json": {"schema": schema}}}}

    def post(name: str, schema: dict[str, Any], *, required: bool, gives: dict[str, Any]) -> dict[str, Any]:
        content = {"application/json": {"schema": schema}}
        return {
            "post": {
                "operationId": name,
                "tags": ["things"],
                "requestBody": {"required": required, "content": content},
                "responses": answer(gives),
            }
        }

    tree = {"$ref": "#/components/schemas/Tree"}
    raw["paths"] |= {
        "/a": post("whole", {"$ref": "#/components/schemas/Free"}, required=True, gives=tree),
        "/b": post(
            "whole_optional",
            {"type": "array", "items": tree},
            required=False,
            gives={"type": "array", "items": tree},
        ),
        "/c": post("optional_fields", {"$ref": "#/components/schemas/Thing"}, required=False, gives=free),
        "/d": post("fields", tree, required=True, gives={"type": "object", "additionalProperties": tree}),
    }
    package = build(tmp_path, raw)
    in_python(
        package,
        """
from synapse_agent_api.api import AgentApi
from synapse_agent_api.client import NO_BODY
from synapse_agent_api.models import Kind, Leaf, Tree
import datetime, inspect
class T:
    def call(self, operation, arguments): return operation, arguments
api = AgentApi(); api._api_client = T()
assert api.whole({"a": 1})[1].body == {"a": 1}
assert api.whole_optional()[1].body is NO_BODY
assert api.whole_optional([{"a": 1}])[1].body == [{"a": 1}]
assert api.optional_fields()[1].body is NO_BODY
assert api.optional_fields(name="x")[1].body == {"name": "x"}
came = {"from": "f", "class": "c", "items": [{"from": "g"}], "leaf": {"tree": {"str": "s"}},
        "kinds": ["b-c", "new"], "by_name": {"x": {"tree": None}}, "mixed": 3,
        "grid": [[1]], "day": "2026-01-31"}
tree = api.whole({})[0].decoders[200](came)
assert tree.from_ == "f" and tree.class_ == "c" and tree.str_ is None
assert isinstance(tree.items_[0], Tree) and tree.items_[0].from_ == "g"
assert dict(tree.items()) == came
assert isinstance(tree.leaf, Leaf) and isinstance(tree.leaf.tree, Tree) and tree.leaf.tree.str_ == "s"
assert tree.kinds == [Kind.B_C, "new"] and tree.kinds[0] is Kind.B_C
assert type(tree.kinds[1]) is Kind
assert isinstance(tree.by_name["x"], Leaf)
assert tree.mixed == 3 and tree.grid == [[1]] and tree.day == datetime.date(2026, 1, 31)
assert tree.to_dict() == came
[again] = api.whole_optional()[0].decoders[200]([came])
assert again == tree
assert api.fields("f", "c", [tree])[0].decoders[200]({"k": came}) == {"k": tree}
assert api.fields("f", "c", [tree])[1].body == {"from": "f", "class": "c", "items": [came]}
assert api.optional_fields()[0].decoders[200]({"a": 1}) == {"a": 1}
from synapse_agent_api.requests import REQUESTS
assert set(REQUESTS) >= {"get_thing", "whole", "whole_optional", "optional_fields", "fields"}
assert REQUESTS["get_thing"]["parameters"]["path"] == {"thing_id": {"type": "string"}}
taken = REQUESTS["fields"]["bodies"]["application/json"]
assert taken["required"] == ["from", "class", "items"]
assert taken["properties"]["kinds"]["items"] == {"type": "string", "enum": ["a", "b-c", "1"]}
# Where a schema comes back to itself, anything goes.
assert taken["properties"]["items"] == {"type": "array", "items": {}}
assert taken["properties"]["leaf"] == {"type": "object", "properties": {"tree": {}}}
""",
    )


def test_statuses_of_several_kinds_give_a_union(tmp_path):
    raw = document()
    operation(raw)["responses"] |= {
        "204": {"description": "Nothing."},
        "418": {"description": "Teapot.", "x-error-class": "TeapotError"},
    }
    package = build(tmp_path, raw)
    text = (package / "api" / "things" / "__init__.py").read_text()
    assert "def get_thing(self, thing_id: str) -> Thing | None:" in text
    assert "200: It. 204: Nothing." in text
    assert "TeapotError: 418, teapot." in text
    assert ">>> client.get_thing(thing_id)" in text


# Hostile text

MARK = "SYNAPSE_GENERATE_TEST"
CODE = f'__import__("os").environ.__setitem__("{MARK}", "pwned")'
HOSTILE = [
    f'"""\n{CODE}\n"""',
    f'x"""+str({CODE})+"""',
    f'" + str({CODE}) + "',
    f"' + str({CODE}) + '",
    f'\\"""\n{CODE}\n#',
    f'\\\\"""; {CODE}; """',
    f"{{{CODE}}}",
    f"{{{{ {CODE} }}}} {{% raw %}} {{# x #}}",
    f"\n{CODE}\n",
    f"\r{CODE}\r\n{CODE}",
    f"a\u2028{CODE}\x0c{CODE}\x85{CODE}",
    f"#\x00{CODE}",
    "ends in a backslash \\",
    'ends in a quote "',
    '"',
    '""',
    '"""',
    '""""""',
    "\\N{nothing} \\x \\u12 \\U0 %s %(x)s {0}",
    "w" * 300 + "\\" * 301 + '"""' * 50,
    '- item one\n- item """ two\n\n* more',
]


def hostile(text: str) -> dict[str, Any]:
    """A spec that has one text wherever a spec may have text."""
    schema = {"type": "object", "description": text, "title": "Other", "example": text}
    properties = {
        text: {"type": "string", "description": text, "example": text, "default": text},
        "named": {"description": text, "allOf": [{"$ref": "#/components/schemas/Kind"}], "example": text},
        "const": {"type": "string", "const": text},
    }
    response = {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Other"}}},
    }
    parameters = [
        {
            "name": "plain",
            "in": "query",
            "description": text,
            "example": text,
            "required": True,
            "schema": {"type": "string"},
        },
        {
            "name": "q" + text,
            "in": "query",
            "description": text,
            "schema": {"type": "string", "default": text},
        },
        {"name": "kind", "in": "query", "schema": {"$ref": "#/components/schemas/Kind"}},
    ]
    shared = {"tags": ["things"], "summary": text, "description": text, "parameters": parameters}
    responses = {"200": response, "404": {"description": text}}
    body = {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Other"}}},
        "description": text,
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": text, "version": text, "description": text},
        "tags": [{"name": "things", "description": text}],
        "paths": {
            "/things": {
                "get": {**shared, "operationId": "get_it", "responses": responses, "x-aliases": ["find_it"]},
                "post": {
                    **shared,
                    "operationId": "post_it",
                    "responses": responses,
                    "requestBody": body,
                    "x-wait": {"for": text, "result": "Other", "until": text, "returns": text, "timeout": 5},
                    "x-codeSamples": [{"lang": "Python", "source": text}],
                },
            },
        },
        "components": {
            "schemas": {
                "Other": {**schema, "properties": properties, "required": [text]},
                "Kind": {"type": "string", "description": text, "enum": ["fine", "x" + text]},
            }
        },
    }


def test_an_operation_that_can_be_waited_for(tmp_path):
    raw = document()
    raw["components"]["schemas"]["Other"] = copy.deepcopy(raw["components"]["schemas"]["Thing"])
    operation(raw).update({"x-wait": WAIT, "x-aliases": ["find_thing"]})
    package = build(tmp_path, raw)
    said = in_python(
        package,
        """
import inspect, typing
from synapse_agent_api.api import AgentApi, AsyncAgentApi, RawAgentApi
class T:
    def call(self, operation, arguments): return "began", operation.waits_for, dict(arguments.path)
    def wait(self, operation, arguments, *how): return "waited", operation.waits_for, how
api = AgentApi(); api._api_client = T()
print(api.get_thing("1"))
print(api.get_thing("1", wait=True, timeout=None))
print(api.find_thing("1", wait=True, poll_interval=9.0))
print(inspect.signature(AgentApi.get_thing) == inspect.signature(AsyncAgentApi.find_thing))
for overload in typing.get_overloads(AgentApi.get_thing):
    signature = inspect.signature(overload)
    print(signature.parameters["wait"], "->", signature.return_annotation)
doc = AgentApi.get_thing.__doc__
print("Return only when it is done." in doc, "With `wait`, the other." in doc, "ClientTimeoutError" in doc)
""",
    )
    assert said.splitlines() == [
        "('began', 'thing', {'thing_id': '1'})",
        "('waited', 'thing', (None, 2.0))",
        "('waited', 'thing', (5.0, 9.0))",
        "True",
        "wait: 'Literal[False]' = False -> Thing",
        "wait: 'Literal[True]' -> Other",
        "wait: 'bool' -> Thing | Other",
        "True True True",
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(tmp_path, text):
    package = build(tmp_path, hostile(text))
    for path in package.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(source)
        for node in ast.walk(tree):
            # The payload may stand in strings and nowhere else.
            assert not (isinstance(node, ast.Name) and node.id == "__import__"), path
    said = in_python(
        package,
        f"""
import importlib, os, pathlib, json
root = pathlib.Path("synapse_agent_api")
for path in sorted(root.rglob("*.py")):
    importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
from synapse_agent_api.api import AgentApi, AsyncAgentApi
from synapse_agent_api.models import Kind, Other
class T:
    def call(self, operation, arguments): return operation, arguments
    def wait(self, *given): return given
api = AgentApi(); api._api_client = T()
waited = api.post_it("came", plain="v", wait=True, poll_interval=3)
assert waited[0].waits_for == {text!r} and waited[2:] == (5.0, 3), waited
wire = {text!r}
operation, arguments = api.post_it("came", plain="v")
query = dict(arguments.query)
assert query.pop("plain") == "v"
[(name, value)] = query.items()
assert name == "q" + wire and value == wire, (name, value)
assert arguments.body == {{wire: "came"}}, arguments.body
other = Other.from_dict({{wire: "came", "named": "fine"}})
assert [getattr(other, n) for n, w in Other._names.items() if w == wire] == ["came"]
assert other.named is Kind.FINE and len(Kind) == 2
assert AgentApi.post_it.__doc__ == AsyncAgentApi.post_it.__doc__
assert {MARK!r} not in os.environ
print("done")
""",
    )
    assert said == "done\n"


@given(st.text())
def test_literals_are_exact(value):
    assert ast.literal_eval(literal(value)) == value


@each_row("value", [None, True, False, 0, -1, 1.5])
def test_literals_of_other_types(value):
    assert ast.literal_eval(literal(value)) == value


def test_there_are_no_other_literals():
    with pytest.raises(generate.GenerationError):
        literal([1])


@given(st.text(), st.text())
def test_docstrings_hold_any_text(text, other):
    parts = [paragraphs(text, 4), section("Args", [("x", other), ("y", text)], 4)]
    body = docstring(parts, 4)
    source = f'def f():\n    """{body}\n    """\n'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = ast.parse(source)
    [function] = tree.body
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == 1
    assert isinstance(function.body[0], ast.Expr)
    assert isinstance(function.body[0].value, ast.Constant)
