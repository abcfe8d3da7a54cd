"""No private name of another package in our code: they change without a word, in any release.

Found are imports (`import a._b`, `from a import _b`), attributes (`x._b`, unless the same file defines a
`_b`; for `self._b` any file of ours may), such names in strings (`getattr(x, "_b")`), and walks through the
inside of an object or the interpreter (`__dict__`, `vars`, `sys.modules`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from checkout import PACKAGES, ROOT
from tables import each_row

pytestmark = pytest.mark.slow

# By file, what it may use all the same, and why.
ALLOWED: dict[str, set[str]] = {
    # The standard library documents these for an enum's own members; slots and dicts are of our classes.
    "generated/synapse_agent_api/types.py": {"._name_", "._value_", "__dict__"},
    # Documented by the standard library.
    "src/synapse_sdk/cli/_interrupt.py": {"._exit"},
    "src/synapse_sdk/_http/_deadline.py": {"_thread"},
    "src/synapse_sdk/streaming/_sync.py": {"_thread"},
    # Strings of another kind: how names begin or end.
    "src/synapse_agent/plugins/packages.py": {"'_ray_pkg_'"},
    "src/synapse_sdk/_validation.py": {"'_id'"},
    "src/synapse_sdk/testing/_schema.py": {"'_type'"},
    # A stream and a client of ours.
    "src/synapse_sdk/streaming/_merge.py": {"._previous_position"},
    "src/synapse_sdk/testing/_clients.py": {"._api_client"},
    # The names of a generated model's fields on the wire.
    "src/synapse_sdk/testing/_shape.py": {"._names"},
    # Whether trio runs, or httpx2 is in use, without an import of it.
    "src/synapse_sdk/_http/_async.py": {"sys.modules"},
    "src/synapse_sdk/_family.py": {"sys.modules"},
    "src/synapse_sdk/streaming/_background.py": {"sys.modules"},
}

PRIVATE = re.compile(r"_[a-zA-Z]\w*\Z")
PATH = re.compile(r"[a-z]\w*(\.\w+)+\Z")


@cache
def sources() -> dict[str, ast.Module]:
    paths = (path for name, folder in PACKAGES.items() for path in (ROOT / folder / name).rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(paths)}


@cache
def ours() -> set[str]:
    """Names that our code defines: modules, functions, classes, variables, and what objects are given."""
    names = {Path(path).stem for path in sources()}
    return names.union(*(defined(tree) for tree in sources().values()))


def defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


def is_private(path: str) -> bool:
    return any(PRIVATE.match(part) for part in path.split("."))


def used(tree: ast.Module) -> Iterator[str]:
    """What a module uses of others that is theirs."""
    here = set(defined(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if theirs(alias.name))
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    if theirs(path := f"{module}.{alias.name}"):
                        yield path
            case ast.Attribute(value=ast.Name(id="sys"), attr="modules"):
                yield "sys.modules"
            case ast.Attribute(attr="__dict__") | ast.Constant(value="__dict__"):
                yield "__dict__"
            case ast.Call(func=ast.Name(id="vars")):
                yield "vars()"
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                if PRIVATE.match(name) and name not in ours() | here:
                    yield f".{name}"
            case ast.Attribute(attr=name) if PRIVATE.match(name) and name not in here:
                yield f".{name}"
            # In capitals it is a variable of the environment.
            case ast.Constant(value=str(text)) if PRIVATE.match(text) and not text.isupper():
                if text not in here:
                    yield repr(text)
            case ast.Constant(value=str(text)) if PATH.match(text) and theirs(text):
                yield repr(text)
            case _:
                pass


def theirs(path: str) -> bool:
    return path.partition(".")[0] not in PACKAGES and is_private(path)


def test_there_is_none_but_those_allowed() -> None:
    found = {path: set(used(tree)) for path, tree in sources().items()}
    assert {path: names for path, names in found.items() if names} == ALLOWED


@each_row(
    ("code", "name"),
    [
        ("import httpcore._async", "httpcore._async"),
        ("import httpx._client as c", "httpx._client"),
        ("from httpx import _client", "httpx._client"),
        ("from httpx._client import Client", "httpx._client.Client"),
        ("def f(x): return x.y._stream", "._stream"),  # also a name of ours, but not of this file
        ("def f(x): x._stream = 1", "._stream"),
        ("class A(B):\n    def f(self): return self._pool_of_theirs", "._pool_of_theirs"),
        ("def f(x): return getattr(x, '_stream', None)", "'_stream'"),
        ("import importlib; importlib.import_module('httpcore._async.http11')", "'httpcore._async.http11'"),
        ("def f(x): return x.__dict__", "__dict__"),
        ("def f(x): return getattr(x, '__dict__')", "__dict__"),
        ("def f(x): return vars(x)", "vars()"),
        ("import sys; sys.modules", "sys.modules"),
    ],
)
def test_one_more_would_be_found(code: str, name: str) -> None:
    assert set(used(ast.parse(code))) == {name}


@each_row(
    "code",
    [
        "from synapse_sdk._config import ClientConfig",
        "from ._config import ClientConfig",
        "from __future__ import annotations",
        "def f(x): return x.__class__.__name__",
        "class A:\n    def f(self): self._mine = 1\n    def g(self, other): other._mine = self._mine",
    ],
)
def test_our_own_are_not(code: str) -> None:
    assert set(used(ast.parse(code))) == set()
