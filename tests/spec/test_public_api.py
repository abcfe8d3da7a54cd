"""The public surface is what `public-api.txt` says, so that a change of it is seen in review."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tools import public_api

pytestmark = pytest.mark.slow


def packaged(folder: Path, source: str, **modules: str) -> str:
    """The surface of a package `example` with this __init__.py and these modules."""
    package = folder / "example"
    package.mkdir()
    (package / "__init__.py").write_text(source)
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return public_api.text(public_api.surface(public_api.load("example", folder)))


def test_the_surface_is_what_the_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    code = public_api.main([])
    assert code == 0, capsys.readouterr().out


def test_a_change_is_shown_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "def synapse_sdk.utils.network.validate_timeout("
    text = public_api.FILE.read_text(encoding="utf-8")
    assert text.count(line) == 1
    monkeypatch.setattr(public_api, "FILE", tmp_path / "public-api.txt")
    public_api.FILE.write_text(text.replace(line, f"{line}seconds: float, "), encoding="utf-8")
    assert public_api.main([]) == 1
    said = capsys.readouterr().out
    assert "If that is meant, run `make public-api`" in said
    assert [text[: len(line) + 1] for text in said.splitlines() if text[1:].startswith(line)] == [
        f"-{line}",
        f"+{line}",
    ]
    assert public_api.main(["--write"]) == 0
    assert public_api.FILE.read_text(encoding="utf-8") == text


def test_what_is_public(tmp_path: Path) -> None:
    said = packaged(
        tmp_path,
        """
from typing import overload
from ._private import Base, hidden
__all__ = ["Colour", "Thing", "make", "Base"]
class Colour:
    RED = "red"
    _secret = 1
class Thing(Base):
    name: str
    def __init__(self, name: str, *, size: int = 1) -> None: ...
    @property
    def big(self) -> bool: ...
    @classmethod
    async def load(cls, *paths: str, **how: int) -> "Thing": ...
    def _own(self): ...
def make(a, b=2, /, c: int | None = None) -> Thing: ...
def not_exported(): ...
""",
        _private="""
__all__ = ["Base"]
class Base:
    def inherited(self, x: int) -> str: ...
def hidden(): ...
""",
        shown="__all__ = ['VALUE']\nVALUE = 1\nother = 2\n",
    )
    assert said.splitlines() == [
        "class example.Base",
        "def example.Base.inherited(x: int) -> str",
        "class example.Colour",
        "example.Colour.RED = 'red'",
        "class example.Thing(Base)",
        "def example.Thing.__init__(name: str, *, size: int = 1) -> None",
        "property example.Thing.big: bool",
        "async classmethod def example.Thing.load(*paths: str, **how: int) -> Thing",
        "example.Thing.name: str",
        "def example.make(a, b=2, /, c: int | None = None) -> Thing",
        "example.shown.VALUE = 1",
    ]


def test_every_exported_name_of_the_clients_is_there() -> None:
    lines = public_api.FILE.read_text(encoding="utf-8")
    for module in ("clients.agent", "clients.exceptions", "utils.network"):
        for name in importlib.import_module(f"synapse_sdk.{module}").__all__:
            assert f"synapse_sdk.{module}.{name}" in lines
    for name in importlib.import_module("synapse_agent_api.models").__all__:
        assert f"synapse_agent_api.models.{name}" in lines
