"""A spec is untrusted: what is hostile is refused, with a message and nothing written, or does no harm."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from tables import each_row

from tools.codegen import command, generate, safety
from tools.spec import document as spec_document

from .small_spec import Spec, schema, small, write

pytestmark = pytest.mark.slow

METHOD = ("paths", "/things/{thing_id}/", "get")
Change = Callable[[Spec], Any]
REFUSED: dict[str, tuple[Change, str]] = {}
GENERATED: dict[str, Change] = {}


def refused(name: str, message: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        REFUSED[name] = (change, message)
        return change

    return register


def get(spec: Spec) -> Spec:
    found: Spec = spec["paths"]["/things/{thing_id}/"]["get"]
    return found


def prop(spec: Spec, name: str, **how: Any) -> None:
    schema(spec)["properties"][name] = {"type": "string", **how}


# Names

for _name in (
    *("__init__", "__class__", "_transport", "../x", "a/b", "a.b", "class", "None", "def", "x; import os"),
    *("get thing", "getThing", "ﬁnd", "名", "a\nb", 'x"', "1x", "x__y"),
):
    REFUSED[f"operationId {_name!r}"] = (
        lambda spec, name=_name: get(spec).update(operationId=name),
        "can't be a method's name",
    )
    REFUSED[f"alias {_name!r}"] = (
        lambda spec, name=_name: get(spec).update({"x-aliases": [name]}),
        "can't be a method's name",
    )
for _name in ("close", "from_env", "tail_job_logs", "with_options", "request", "dict", "overload"):
    REFUSED[f"operationId {_name!r}"] = (
        lambda spec, name=_name: get(spec).update(operationId=name),
        "would hide this one",
    )
for _name in (
    "../x",
    "a/b",
    "/etc",
    "..",
    ".",
    "a\\b",
    "__init__",
    "class",
    "Jobs",
    "a b",
    "x\0",
    "con.txt",
    "名",
):
    REFUSED[f"tag {_name!r}"] = (
        lambda spec, name=_name: get(spec).update(tags=[name]),
        "can't be a module's name",
    )
for _name in ("agent", "async_things", "raw"):
    REFUSED[f"tag {_name!r}"] = (lambda spec, name=_name: get(spec).update(tags=[name]), "is there already")
for _name in (
    "/../admin",
    "//evil.example/x",
    "/a//b",
    "/./a",
    "/a?x=1",
    "/a#b",
    "/a/%2e%2e/b",
    "a",
    "/a\nb",
    "/a\\b",
):
    REFUSED[f"path {_name!r}"] = (
        lambda spec, name=_name: spec["paths"].update({name: spec["paths"].pop("/things/{thing_id}/")}),
        "would not lead where it says",
    )
for _name in ("thing", "T-hing", "Th/ing", "../Thing", "Thing\n", "__Thing__", "名", "None"):
    REFUSED[f"schema {_name!r}"] = (
        lambda spec, name=_name: spec["components"]["schemas"].update({name: {"type": "string"}}),
        "can't be a class's name",
    )
for _name in ("Model", "Any", "ThingsApi", "AsyncThingsApi", "Mapping"):
    REFUSED[f"schema {_name!r}"] = (
        lambda spec, name=_name: spec["components"]["schemas"].update(
            {name: {"type": "object", "properties": {}}}
        ),
        "of this name already",
    )


@refused("a title that renames a class", "which would be the class's name")
def _(spec: Spec) -> None:
    schema(spec)["title"] = "Kind"


@refused("two schemas for one module", "would both be")
def _(spec: Spec) -> None:
    spec["components"]["schemas"]["THING"] = {"type": "object", "properties": {"x": {"type": "string"}}}


@refused("two fields for one attribute", "would both be the attribute foo_bar")
def _(spec: Spec) -> None:
    prop(spec, "fooBar")
    prop(spec, "foo_bar")


@refused("two fields that look alike", "would both be the attribute")
def _(spec: Spec) -> None:
    prop(spec, "find")
    prop(spec, "ﬁnd")


@refused("two fields for one attribute, one of them a dict method", "would both be the attribute")
def _(spec: Spec) -> None:
    prop(spec, "items")
    prop(spec, "items_")
    del spec["paths"]["/things/{thing_id}/"]["put"]


@refused("aliases as one text", "x-aliases is no list")
def _(spec: Spec) -> None:
    get(spec)["x-aliases"] = "find_thing"


@refused("an operation twice", "there are two operations called get_thing")
def _(spec: Spec) -> None:
    spec["paths"]["/others/{thing_id}/"] = {"get": get(spec)}


# Text

for _code in (0x202E, 0x2066, 0x200F, 0x061C, 0xE0041):
    REFUSED[f"bidi or hidden U+{_code:04X} in a description"] = (
        lambda spec, code=_code: schema(spec).update(description=f"a{chr(code)}b"),
        "hides or reorders text",
    )


@refused("bidi in a field's name", "hides or reorders text")
def _(spec: Spec) -> None:
    prop(spec, "a\u202eb")


@refused("half a character", "a surrogate")
def _(spec: Spec) -> None:
    schema(spec)["description"] = "\ud800"


@refused("an error class that is code", "is no class name")
def _(spec: Spec) -> None:
    spec["components"]["responses"]["NotFound"]["x-error-class"] = "A: b"


# Defaults, enums, types


@refused("a default of another type", "is no integer")
def _(spec: Spec) -> None:
    prop(spec, "n", type="integer", default="__import__('os')")


@refused("a default that is true, for a number", "is no number")
def _(spec: Spec) -> None:
    prop(spec, "n", type="number", default=True)


@refused("a default outside the enum", "is not in the enum")
def _(spec: Spec) -> None:
    prop(spec, "n", enum=["a", "b"], default="c")


@refused("a default that is a list", "a list or an object")
def _(spec: Spec) -> None:
    prop(spec, "n", type="array", items={"type": "string"}, default=["a"])


@refused("an enum of objects", "enum|Enum|Unable to parse|valid")
def _(spec: Spec) -> None:
    schema(spec, "Kind").update(enum=[{"a": 1}])


@refused("enum values for one member", "[Dd]uplicate|key")
def _(spec: Spec) -> None:
    schema(spec, "Kind").update(enum=["a-b", "a_b"])


@refused("a boolean schema", "a boolean schema")
def _(spec: Spec) -> None:
    schema(spec)["properties"]["any"] = True


@refused("a discriminator", "a discriminator without a union")
def _(spec: Spec) -> None:
    schema(spec)["discriminator"] = {"propertyName": "kind"}


@refused("a keyword that is misspelt", "is it `required`")
def _(spec: Spec) -> None:
    schema(spec)["requierd"] = ["name"]


@refused("a required field that is misspelt", "is it name")
def _(spec: Spec) -> None:
    schema(spec)["required"] = ["nmae"]


@refused("a list without explode", "explode: false")
def _(spec: Spec) -> None:
    listed = {"type": "array", "items": {"type": "string"}}
    get(spec)["parameters"].append({"name": "q", "in": "query", "explode": False, "schema": listed})


@refused("deepObject", "the style 'deepObject'")
def _(spec: Spec) -> None:
    get(spec)["parameters"].append(
        {"name": "q", "in": "query", "style": "deepObject", "schema": {"type": "object"}}
    )


@refused("a server of its own", "to which the client would not go")
def _(spec: Spec) -> None:
    get(spec)["servers"] = [{"url": "https://evil.example/"}]


@refused("two content types", "of which one would be lost")
def _(spec: Spec) -> None:
    content = get(spec)["responses"]["200"]["content"]
    content["text/plain"] = {"schema": {"type": "string"}}


@refused("responses that are a list", "an object is due here")
def _(spec: Spec) -> None:
    get(spec)["responses"] = []


@refused("properties that are a list", "properties is no object")
def _(spec: Spec) -> None:
    schema(spec)["properties"] = []


# References

for _reference in (
    *(
        "https://evil.example/openapi.yaml#/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "other.yaml#/components/x",
    ),
    *("//evil.example/x", "#/info", "#", "", "#/paths/~1things~1{thing_id}~1/get", "../../etc/passwd"),
):
    REFUSED[f"$ref {_reference!r}"] = (
        lambda spec, reference=_reference: schema(spec)["properties"].update(x={"$ref": reference}),
        "nothing outside `#/components/` is followed",
    )
REFUSED["$ref to a file, from a path"] = (
    lambda spec: spec["paths"].update({"/x/": {"$ref": "file:///etc/passwd"}}),
    "nothing outside `#/components/` is followed",
)
REFUSED["$ref in an example"] = (
    lambda spec: schema(spec).update(example={"$ref": "http://evil.example/"}),
    "nothing outside `#/components/` is followed",
)
REFUSED["$id"] = (lambda spec: schema(spec).update({"$id": "http://evil.example/"}), r"\$id is not followed")
REFUSED["externalValue"] = (
    lambda spec: schema(spec).update(examples={"a": {"externalValue": "file:///etc/passwd"}}),
    "externalValue is not followed",
)
REFUSED["$ref to nothing"] = (
    lambda spec: schema(spec)["properties"].update(x={"$ref": "#/components/schemas/Gone"}),
    "Could not find reference",
)


@refused("$refs in a circle", "leads to itself")
def _(spec: Spec) -> None:
    spec["components"]["schemas"] |= {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
    }


@refused("$ref to itself", "leads to itself")
def _(spec: Spec) -> None:
    spec["components"]["schemas"]["A"] = {"$ref": "#/components/schemas/A"}


@refused("an allOf in a circle", "is made of itself")
def _(spec: Spec) -> None:
    spec["components"]["schemas"] |= {
        "A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
        "B": {"allOf": [{"$ref": "#/components/schemas/A"}]},
    }


# Sizes


@refused("too large", "larger than")
def _(spec: Spec) -> None:
    spec["info"]["description"] = "x" * (spec_document.MAX_BYTES + 1)


@refused("a text that is too long", "characters; shorten it")
def _(spec: Spec) -> None:
    spec["info"]["description"] = "x" * (spec_document.MAX_TEXT + 1)


@refused("nested too deeply", "nested more than")
def _(spec: Spec) -> None:
    inner: Spec = {"type": "string"}
    for _ in range(100):
        inner = {"type": "array", "items": inner}
    schema(spec)["properties"]["x"] = inner


@refused("too many values", "values")
def _(spec: Spec) -> None:
    schema(spec)["example"] = [0] * (spec_document.MAX_NODES + 1)


def run(path: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = command.main(["--spec", str(path), "--output", str(output)])
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, message = REFUSED[name]
    spec = small()
    change(spec)
    path = write(tmp_path, spec)
    code, said = run(path, tmp_path / "package", capsys)
    assert code == 1
    assert said.startswith("error: ")

    assert re.search(message, said), said
    assert "Traceback" not in said
    # Neither may the message play with the terminal that it is read in.
    assert all(character == "\n" or character.isprintable() for character in said)
    assert sorted(tmp_path.iterdir()) == [path]


YAML_BOMBS = {
    "an alias bomb": (
        "a: &a [0,0,0,0,0,0,0,0,0,0]\n"
        + "".join(
            f"{y}: &{y} [{', '.join([f'*{x}'] * 10)}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "values, what aliases repeat",
    ),
    "an alias within what it names": ("a: &a {b: *a}", "an alias within what it names"),
    "brackets without end": ("[" * 3_000, "nested more than"),
    "a Python object": ("a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
    "bytes": ("a: !!binary aGk=", "of the type bytes"),
    "a date": ("info: {version: 2026-01-01}", "of the type date, "),
    "a number as a key": (
        "paths: {x: {get: {responses: {200: {}}}}}",
        "the key 200 is no text; write it in quotes",
    ),
    "a key twice": ("a: 1\na: 2", "duplicate key"),
    "not a number": ("a: .nan", "nan is no JSON"),
    "a number of 5000 digits": ("a: " + "9" * 5000, "Exceeds the limit"),
    "two documents": ("a: 1\n---\nb: 2", "expected a single document"),
    "a control character": ("a: \x00", "special characters are not allowed"),
}


@pytest.mark.parametrize("name", YAML_BOMBS)
def test_yaml_that_is_more_than_it_looks_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    text, message = YAML_BOMBS[name]
    path = tmp_path / "openapi.yaml"
    path.write_text(text, encoding="utf-8")
    code, said = run(path, tmp_path / "package", capsys)
    assert code == 1
    assert re.search(message, said), said
    assert sorted(tmp_path.iterdir()) == [path]


# What may be generated

CODE = '__import__("os").environ.__setitem__("SYNAPSE_HOSTILE", "1")'
TEXTS = {
    "quotes": f'x"""+str({CODE})+"""',
    "single quotes": f"' + str({CODE}) + '",
    "backslashes": f'\\"""\n{CODE}\n#\\\\',
    "newlines": f"\n{CODE}\r\n{CODE}\r{CODE}",
    "unicode lines": f"a\u2028{CODE}\u2029{CODE}\x85{CODE}\x0b{CODE}\x0c{CODE}",
    "templates": f"{{{{ {CODE} }}}} {{% raw %}} {{# {CODE} #}}",
    "braces": f"{{{CODE}}} %s {{0}} \\N{{BULLET}} \\u12",
    "control characters": f"\x00{CODE}\x1b[2J\x07",
    "a docstring's end": f'"""\n    {CODE}\n    """',
    "a type comment": f"# type: {CODE}\n# noqa\n# -*- coding: utf-7 -*-",
}


def filled(text: str) -> Spec:
    """The small spec with a text wherever one may be anything."""
    spec = small()
    spec["info"] = {"title": text, "version": text, "description": text}
    spec["tags"][0]["description"] = text
    for operation in spec["paths"]["/things/{thing_id}/"].values():
        operation |= {"summary": text, "description": text, "deprecated": True}
        operation["x-codeSamples"] = [{"lang": "Python", "source": text}]
        operation["parameters"][0] |= {"description": text, "example": text}
        operation["responses"] |= {"418": {"description": text}}
    get(spec)["parameters"].append(
        {
            "name": f"q{text}",
            "in": "query",
            "description": text,
            "schema": {"type": "string", "default": text},
        }
    )
    prop(spec, f"p{text}", description=text, default=text, example=text)
    prop(spec, "c", const=text)
    schema(spec)["description"] = text
    schema(spec, "Kind").update(description=text, enum=["fine", f"v{text}"])
    return spec


class Shape(ast.NodeTransformer):
    """Of a module only what it does: each text alike, and names by the order in which they first appear."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def visit(self, node: ast.AST) -> Any:
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                setattr(node, field, self.names.setdefault(value, f"n{len(self.names)}"))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
        return self.generic_visit(node)


def shapes(package: Path) -> dict[str, str]:
    return {
        str(path.relative_to(package)): ast.dump(Shape().visit(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted(package.rglob("*.py"))
    }


def imports(package: Path) -> set[str]:
    nodes = (
        node
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.fixture(scope="module")
def benign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benign")
    generate.generate(write(folder, filled("words")), folder / "package")
    return folder / "package"


@pytest.mark.parametrize("name", TEXTS)
def test_whatever_a_text_says_the_code_is_the_same(name: str, tmp_path: Path, benign: Path) -> None:
    package = tmp_path / "package"
    generate.generate(write(tmp_path, filled(TEXTS[name])), package)
    assert shapes(package) == shapes(benign)
    assert imports(package) == imports(benign)


# Tells on everything that the generator does to the outside.
WATCHED = """
import os, sys
allowed = os.path.realpath(sys.argv[1])
told = []
def hook(event, args):
    def outside(path):
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        path = os.path.realpath(os.fsdecode(path))
        return not path.startswith((allowed, "/dev/null")) and "__pycache__" not in path
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.bind", "urllib.", "http.")):
        told.append(f"{event} {args!r}")
    elif event == "open":
        mode, flags = args[1], args[2]
        writes = (set("wax+") & set(mode)) if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
        if writes and outside(args[0]):
            told.append(f"writes {args[0]}")
    elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink"):
        told.extend(f"{event} {path}" for path in args if outside(path))
    elif event == "subprocess.Popen":
        command = args[1]
        if command[:4] != [sys.executable, "-P", "-m", "ruff"]:
            told.append(f"runs {command}")
    elif event in ("os.system", "os.exec", "os.posix_spawn"):
        told.append(f"{event} {args!r}")
sys.path.insert(0, sys.argv[2])
from tools.codegen.command import main
sys.addaudithook(hook)
code = main(sys.argv[3:])
print(code, told)
"""


def watched(tmp_path: Path, *arguments: str) -> str:
    variables = os.environ | {"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", WATCHED, str(tmp_path), str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=tmp_path)
    return done.stdout + done.stderr


def test_it_touches_nothing_but_the_package(tmp_path: Path) -> None:
    path = write(tmp_path, filled(TEXTS["quotes"]))
    assert watched(tmp_path, "--spec", str(path), "--output", str(tmp_path / "package")) == "0 []\n"
    assert (tmp_path / "package" / "models" / "thing.py").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["openapi.json", "package"]


def test_the_watch_would_see_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "here").mkdir()
    path = write(tmp_path, small())
    said = watched(tmp_path / "here", "--spec", str(path), "--output", str(elsewhere / "package"))
    assert f"os.mkdir {elsewhere}" in said


@each_row(
    "source",
    ["import socket", "from os.path import join\nfrom subprocess import run", f"x = {CODE}", "eval('1')"],
)
def test_generated_code_that_does_something_else_is_refused(source: str) -> None:
    with pytest.raises(generate.GenerationError, match="must not use"):
        safety.refuse_code(source, "x.py")


def test_names_that_the_generated_code_uses_itself_are_free(tmp_path: Path) -> None:
    names = [
        "body",
        "files",
        "given",
        "present",
        "encode",
        "datetime",
        "self",
        "arguments",
        "items",
        "input",
        "open",
    ]
    spec = small()
    for name in names:
        prop(spec, name)
    package = tmp_path / "synapse_agent_api"
    generate.generate(write(tmp_path, spec), package)
    code = f"""
from synapse_agent_api.api import AgentApi
from synapse_agent_api.models import Thing
class T:
    def call(self, operation, arguments): return arguments
api = AgentApi(); api._api_client = T()
names = {names!r}
python = {{wire: name for name, wire in Thing._names.items()}}
thing = Thing.from_dict({{name: name for name in names}})
assert [getattr(thing, python[name]) for name in names] == names
given = dict(zip(["body", "files", "given", "present", "encode", "datetime_", "self_", "arguments", "items",
                  "input_", "open_"], names, strict=True))
assert api.put_thing("1", "n", **given).body == {{"name": "n", **{{name: name for name in names}}}}
print(python["datetime"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("datetime_\n", "")
