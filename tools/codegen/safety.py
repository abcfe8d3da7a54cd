"""Check that generated code does only what generated code has to."""

from __future__ import annotations

import ast

from .errors import GenerationError

__all__ = ["IMPORTED", "refuse_code"]

# What generated modules import, and what of Python they may do besides.
IMPORTED = frozenset(
    {
        "__future__",
        "attrs",
        "collections.abc",
        "datetime",
        "enum",
        "importlib",
        "itertools",
        "os",
        "types",
        "typing",
    }
)
NEVER_NAMED = frozenset(
    {
        *("__builtins__", "__import__", "__loader__", "__spec__", "__subclasses__", "breakpoint", "compile"),
        *("eval", "exec", "input", "locals", "open", "vars"),
    }
)


def refuse_code(source: str, where: object) -> None:
    """Raise if a generated module is not Python, or does what generated modules never do."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        # ruff would only say that it failed.
        raise GenerationError(f"{where}:{error.lineno}: {error.msg}: {error.text}") from None
    for node in ast.walk(tree):
        names: list[str] = []
        match node:
            case ast.Import():
                names = [item.name for item in node.names if item.name not in IMPORTED]
            case ast.ImportFrom(level=0) if node.module not in IMPORTED:
                names = [str(node.module)]
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) if name in NEVER_NAMED:
                names = [name]
        if names:
            raise GenerationError(f"{where}: generated code must not use {', '.join(names)}")
