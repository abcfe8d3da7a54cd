"""What of a new generated package breaks who uses the old one: griffe's findings, and what it misses."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import griffe

from .. import public_api
from .changes import Change
from .document import shown

__all__ = ["python_changes"]

PACKAGE = "synapse_agent_api"


def python_changes(old: Path, new: Path, owners: Mapping[str, str]) -> list[Change]:
    """Compare two generated packages.

    Args:
        old: The folder that holds the old one.
        new: The folder that holds the new one.
        owners: The operation that each method belongs to, where that is called otherwise.
    """
    before, after = public_api.load(PACKAGE, old), public_api.load(PACKAGE, new)
    surfaces = public_api.surface(before), public_api.surface(after)
    found = [*_of_griffe(before, after, surfaces[1]), *_ours(*surfaces)]
    # Sync, async and raw are one to whoever reads this.
    return list(
        dict.fromkeys(change._replace(subject=owners.get(change.subject, change.subject)) for change in found)
    )


def _place(path: str) -> tuple[str, str, str] | None:
    """What kind of thing a path is, and its name in two parts; None for what is no user's."""
    match path.split(".")[1:]:
        case ["api", owner, method] if owner.endswith("AgentApi"):
            return "method", method, owner
        case ["api", _, owner, method] if owner.endswith("Api"):
            return "method", method, owner
        case ["api", _, owner] if owner.endswith("Api"):
            return "tag", owner.removeprefix("Async"), ""
        case ["models", name]:
            return "model", _camel(name), ""
        case ["models", _, name]:
            return "model", name, ""
        case ["models", _, name, attribute]:
            return "field", name, attribute
        case ["api", *_] | ["__version__"]:
            return None
    return "other", path, ""


def _camel(name: str) -> str:
    return name if name[:1].isupper() else "".join(word.capitalize() for word in name.split("_"))


def _of_griffe(before: griffe.Module, after: griffe.Module, surface: Mapping[str, Any]) -> Iterator[Change]:
    for breakage in griffe.find_breaking_changes(before, after):
        place = _place(breakage.obj.path)
        # A field of a model is compared by its type below; its constructor's order does not matter.
        if place is None:
            continue
        kind, name, inner = place
        words = _words(breakage, kind, name, inner, surface)
        if words is not None:
            yield Change(name, "python", True, words)


def _words(
    breakage: griffe.Breakage, kind: str, name: str, inner: str, surface: Mapping[str, Any]
) -> str | None:
    old, new = breakage.old_value, breakage.new_value
    called = getattr(old if old is not None else new, "name", "")
    match breakage.kind:
        case griffe.BreakageKind.OBJECT_REMOVED if kind == "method":
            moved = _methods(surface).get(name)
            if moved is None:
                return f"`{name}()` is gone"
            return f"`{name}()` is a method of {moved[0]} now, and of the clients as before"
        case griffe.BreakageKind.OBJECT_REMOVED:
            return f"`{name}.{inner}` is gone" if inner else f"`{name}` is gone"
        case griffe.BreakageKind.PARAMETER_REMOVED:
            return f"`{name}()` has no parameter `{called}` any more"
        case griffe.BreakageKind.PARAMETER_MOVED:
            return f"`{name}()` takes `{called}` at another position"
        case griffe.BreakageKind.PARAMETER_CHANGED_KIND:
            return f"`{name}()` takes `{called}` as {new.kind.value}, not as {old.kind.value}"
        case griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT:
            told = [shown(side.default, 80) for side in (new, old)]
            return f"`{name}()` has {told[0]} as the default of `{called}`, not {told[1]}"
        case griffe.BreakageKind.PARAMETER_CHANGED_REQUIRED:
            return f"`{name}()` requires `{called}`"
        case griffe.BreakageKind.PARAMETER_ADDED_REQUIRED:
            return f"`{name}()` requires the new parameter `{called}`"
        case griffe.BreakageKind.ATTRIBUTE_CHANGED_VALUE if kind == "field":
            return f"`{name}.{inner}` is {shown(new, 80)}, not {shown(old, 80)}"
        case griffe.BreakageKind.ATTRIBUTE_CHANGED_VALUE | griffe.BreakageKind.CLASS_REMOVED_BASE:
            return None
    return f"`{name}`: {breakage.kind.value}"


def _methods(surface: Mapping[str, Any]) -> dict[str, tuple[str, public_api.Entry]]:
    """The sync methods by name, with the class that has them."""
    found: dict[str, tuple[str, public_api.Entry]] = {}
    for path, entry in surface.items():
        parts = path.split(".")
        if (
            entry.kind == "function"
            and parts[1] == "api"
            and len(parts) == 5
            and not parts[3].startswith("Async")
        ):
            found[parts[4]] = parts[3], entry
    return found


def _fields(surface: Mapping[str, Any]) -> dict[str, dict[str, public_api.Entry]]:
    found: dict[str, dict[str, public_api.Entry]] = {}
    for path, entry in surface.items():
        parts = path.split(".")
        if parts[1] == "models" and len(parts) == 4:
            found.setdefault(parts[3], {})
        elif parts[1] == "models" and len(parts) == 5 and entry.kind == "attribute":
            found.setdefault(parts[3], {})[parts[4]] = entry
    return found


def _ours(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Types, which griffe doesn't compare, and what is new."""
    old_methods, new_methods = _methods(before), _methods(after)
    for name, (_, new) in new_methods.items():
        if name not in old_methods:
            yield Change(name, "python", False, f"`{name}()` is new", new=True)
            continue
        old = old_methods[name][1]
        if old.annotation != new.annotation:
            breaks = not _within(new.annotation, old.annotation)
            yield Change(
                name, "python", breaks, f"`{name}()` returns `{new.annotation}`, not `{old.annotation}`"
            )
        known = {parameter[0]: parameter for parameter in old.parameters}
        for called, _, annotation, default in new.parameters:
            if called in known and known[called][2] != annotation:
                breaks = not _within(known[called][2], annotation)
                words = f"`{name}()` takes `{called}` as `{annotation}`, not as `{known[called][2]}`"
                yield Change(name, "python", breaks, words)
            elif called not in known and default is not None:
                yield Change(name, "python", False, f"`{name}()` takes `{called}` as well", new=True)
    old_models, new_models = _fields(before), _fields(after)
    for model, fields in new_models.items():
        if model not in old_models:
            yield Change(model, "python", False, f"`{model}` is new", new=True)
            continue
        for name, entry in fields.items():
            was = old_models[model].get(name)
            if was is None:
                yield Change(model, "python", False, f"`{model}.{name}` is new", new=True)
            elif was.annotation != entry.annotation:
                breaks = not _within(entry.annotation, was.annotation)
                words = f"`{model}.{name}` is `{entry.annotation}`, not `{was.annotation}`"
                yield Change(model, "python", breaks, words)


def _within(narrow: str, wide: str) -> bool:
    """Tell whether one type is a part of another, as far as their unions go."""
    return "Any" in _alternatives(wide) or _alternatives(narrow) <= _alternatives(wide)


def _alternatives(annotation: str) -> set[str]:
    def parts(node: ast.expr) -> Iterator[str]:
        if isinstance(node, ast.BinOp):
            yield from parts(node.left)
            yield from parts(node.right)
        else:
            yield ast.unparse(node)

    return set(parts(ast.parse(annotation, mode="eval").body)) if annotation else set()
