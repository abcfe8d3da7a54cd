"""Write or check `public-api.txt`: the exported names of synapse_sdk and synapse_agent_api, with signatures.

    python -m tools.public_api            exit 1 and show what is not as the file says
    python -m tools.public_api --write    write the file

It is read from the sources, by griffe, without importing them. A name is public where a module without a
leading underscore has it in its `__all__`; so are the names of a public class that have no underscore. What a
class inherits is shown with the class it comes from, unless that one is private.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import griffe

__all__ = ["PACKAGES", "Entry", "load", "main", "surface", "text"]

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "public-api.txt"
PACKAGES = {"synapse_sdk": ROOT / "src", "synapse_agent_api": ROOT / "generated"}
# The command line is what users see of these, and one operation's parts are for the clients.
HIDDEN = ("synapse_sdk.cli.commands.", "synapse_agent_api.api.*.")
COMMAND = "make public-api"


class Entry(NamedTuple):
    """One public name."""

    kind: str
    parameters: tuple[tuple[str, str, str, str | None], ...]
    """Each one's name, kind, annotation and default."""
    annotation: str
    """Its type, or what it returns."""
    line: str


def load(package: str, folder: Path) -> griffe.Module:
    """Read a package's sources, and those that it takes names from."""
    folders = [str(folder), *(str(place) for name, place in PACKAGES.items() if name != package)]
    found = griffe.load(package, search_paths=folders, resolve_aliases=True, resolve_external=True)
    assert isinstance(found, griffe.Module)
    return found


def surface(package: griffe.Module) -> dict[str, Entry]:
    """Return every public name by its path."""
    found: dict[str, Entry] = {}
    classes: dict[str, griffe.Class] = {}
    for module in _modules(package):
        for name in module.exports or ():
            member = module.members.get(str(name))
            if member is None:
                continue
            path = f"{module.path}.{name}"
            target = _target(member)
            if target is None or isinstance(target, griffe.Module):
                continue
            found[path] = _entry(path, target)
            if isinstance(target, griffe.Class):
                classes[path] = target
    published = {target.path for target in classes.values()}
    for path, target in classes.items():
        # Where a class is exported from more places than its own, its members are listed with that one.
        if target.path in classes and target.path != path:
            continue
        for name, member in {**_inherited(target, published), **target.members}.items():
            inner = _target(member)
            if inner is not None and (not name.startswith("_") or name == "__init__"):
                found[f"{path}.{name}"] = _entry(f"{path}.{name}", inner)
    return found


def text(entries: Mapping[str, Entry]) -> str:
    """Return the entries as lines of a file."""
    return "".join(f"{entries[path].line}\n" for path in sorted(entries))


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for name, inner in sorted(module.modules.items()):
        if not name.startswith("_") and not any(_matches(inner.path, pattern) for pattern in HIDDEN):
            yield from _modules(inner)


def _matches(path: str, pattern: str) -> bool:
    wanted, parts = pattern.rstrip(".").split("."), path.split(".")
    return len(parts) > len(wanted) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=False))


def _target(member: griffe.Object | griffe.Alias) -> griffe.Object | None:
    try:
        return member.final_target if isinstance(member, griffe.Alias) else member
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return None


def _inherited(target: griffe.Class, published: set[str]) -> dict[str, griffe.Object | griffe.Alias]:
    """Return the members that come from classes that no public module exports."""
    try:
        inherited = target.inherited_members
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return {}
    return {
        name: member
        for name, member in inherited.items()
        if (final := _target(member)) is not None
        and "._" in (owner := final.path.removesuffix(f".{name}"))
        and owner not in published
    }


def _entry(path: str, target: griffe.Object) -> Entry:
    match target:
        case griffe.Class():
            bases = ", ".join(str(base) for base in target.bases)
            return Entry("class", (), bases, f"class {path}({bases})" if bases else f"class {path}")
        case griffe.Function():
            parameters = tuple(_parameters(target))
            returns = _words(target.returns)
            signature = _signature(target)
            marks = "".join(
                f"{mark} " for mark in ("async", "classmethod", "staticmethod") if mark in target.labels
            )
            line = f"{marks}def {path}{signature}" + (f" -> {returns}" if returns else "")
            # How they differ is said by what comes of them.
            several = "; ".join(_words(item.returns) for item in target.overloads or ())
            return Entry(
                "function", parameters, returns, f"{line}  (overloads: {several})" if several else line
            )
        case griffe.Attribute():
            annotation = _words(target.annotation)
            if "property" in target.labels:
                return Entry("property", (), annotation, f"property {path}: {annotation}")
            # Short values, such as those of enums, are part of the interface; long ones are not.
            value = _words(target.value)
            short = value and len(value) <= 40 and target.name != "__version__"
            shown = f" = {value}" if short else ""
            return Entry(
                "attribute", (), annotation, f"{path}{f': {annotation}' if annotation else ''}{shown}"
            )
    return Entry(str(target.kind.value), (), "", f"{target.kind.value} {path}")


def _words(expression: object) -> str:
    return "" if expression is None else " ".join(str(expression).split())


def _parameters(function: griffe.Function) -> Iterator[tuple[str, str, str, str | None]]:
    for parameter in function.parameters:
        if parameter.name not in ("self", "cls"):
            default = None if parameter.default is None else _words(parameter.default)
            kind = parameter.kind.value if parameter.kind is not None else ""
            yield parameter.name, kind, _words(parameter.annotation), default


def _signature(function: griffe.Function) -> str:
    parts: list[str] = []
    starred = False
    before = ""
    for name, kind, annotation, default in _parameters(function):
        if before == "positional-only" and kind != before:
            parts.append("/")
        before = kind
        if kind == "keyword-only" and not starred:
            starred = True
            parts.append("*")
        starred = starred or kind == "variadic positional"
        prefix = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        has_default = default is not None and not prefix
        equals = " = " if annotation else "="
        typed = f": {annotation}" if annotation else ""
        parts.append(f"{prefix}{name}{typed}{equals + str(default) if has_default else ''}")
    if before == "positional-only":
        parts.append("/")
    return f"({', '.join(parts)})"


def current() -> str:
    """Return what the file should hold."""
    entries: dict[str, Entry] = {}
    for package, folder in PACKAGES.items():
        entries |= surface(load(package, folder))
    return text(entries)


def main(argv: Sequence[str]) -> int:
    """Run the command line."""
    wanted = current()
    if "--write" in argv:
        FILE.write_text(wanted, encoding="utf-8")
        return 0
    there = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if there == wanted:
        return 0
    lines = difflib.unified_diff(
        there.splitlines(), wanted.splitlines(), FILE.name, "the sources", n=0, lineterm=""
    )
    print(f"The public surface is not what {FILE.name} says. If that is meant, run `{COMMAND}`:")
    print("\n".join(lines))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
