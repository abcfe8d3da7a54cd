"""Find the small changes that can be made to a Python file, by its syntax tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
# A statement that can be left out; what it may leave undefined is a mutant too, but one that says nothing.
_REMOVABLE = (ast.Raise, ast.Break, ast.Continue, ast.AugAssign, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    last_line: int
    source: str
    """The line's text, without indentation."""
    change: str
    number: int
    """Counts the mutants of one file that are alike in the line's text and the change."""
    start: int
    end: int
    text: str

    @property
    def key(self) -> str:
        return f"{self.path}: {self.source} [{self.change}] #{self.number}"

    def applied_to(self, content: bytes) -> bytes:
        return content[: self.start] + self.text.encode() + content[self.end :]


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """Return the mutants of the functions of a file, in the order of its lines."""
    content = (root / path).read_bytes()
    lines = content.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    seen: Counter[tuple[str, str]] = Counter()
    found: list[Mutant] = []
    changes = sorted(_changes(ast.parse(content)), key=lambda item: (item[0].lineno, item[0].col_offset))
    for node, change, text in changes:
        source = lines[node.lineno - 1].decode().strip()
        seen[source, change] += 1
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        # As many lines as before, so that those below keep their numbers.
        text = _with_lines(text, node.end_lineno - node.lineno)
        last = node.end_lineno
        mutant = Mutant(path, node.lineno, last, source, change, seen[source, change], start, end, text)
        compile(mutant.applied_to(content), path, "exec")
        found.append(mutant)
    return found


def _with_lines(text: str, count: int) -> str:
    missing = "\n" * (count - text.count("\n"))
    return f"{text[:-1]}{missing})" if text.endswith(")") else f"{text}{missing}"


def _changes(tree: ast.Module) -> Iterator[tuple[Any, str, str]]:
    """Yield each change as the node to replace, its description, and the new text."""
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:
        node, in_function = todo.pop()
        todo += _children(node, in_function)
        if in_function:
            yield from _changes_of(node)


def _children(node: ast.AST, in_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield what is inside a node and runs, and whether it runs when a function is called.

    Left out are annotations, docstrings and the inside of f-strings.
    """
    if isinstance(node, ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        called = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and name == "body"
        for child in value if isinstance(value, list) else [value]:
            documentation = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if isinstance(child, ast.AST) and not documentation:
                yield child, in_function or called


def _changes_of(node: Any) -> Iterator[tuple[Any, str, str]]:
    match node:
        case ast.Compare(ops=[operator], left=left, comparators=comparators):
            changed = ast.Compare(left, [_COMPARISONS[type(operator)]()], comparators)
            yield node, f"{_name(operator)} to {_name(changed.ops[0])}", f"({ast.unparse(changed)})"
        case ast.BoolOp(op=operator, values=values):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            text = ast.unparse(ast.BoolOp(other, values))
            yield node, f"{_name(operator)} to {_name(other)}", f"({text})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, "without not", f"bool({ast.unparse(operand)})"
        case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC and not _is_text(node):
            calculated = ast.BinOp(node.left, _ARITHMETIC[type(operator)](), node.right)
            yield node, f"{_name(operator)} to {_name(calculated.op)}", f"({ast.unparse(calculated)})"
        case ast.Constant(value=bool(value)):
            yield node, f"{value} to {not value}", f"({not value})"
        case ast.Constant(value=int(value) | float(value)):
            yield node, f"{value} to {value + 1}", f"({value + 1})"
        case ast.Constant(value=str(value)) if value and " " not in value:
            yield node, f"{value!r} to ''", "('')"
        case ast.Constant(value=bytes(value)) if value:
            yield node, f"{value!r} to b''", "(b'')"
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield node, "return None", "return None"
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield node, "statement left out", "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "statement left out", "pass"
        case ast.If(test=test):
            yield test, "condition turned round", f"(not ({ast.unparse(test)}))"
        case _ if isinstance(node, _REMOVABLE):
            yield node, "statement left out", "pass"


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.BinOp) -> bool:
    """Whether a text is put together, where minus could only fail."""
    return any(isinstance(part, ast.JoinedStr) for part in (node.left, node.right))
