"""Tells in words what changed in the spec, and whom each change breaks.

    python -m tools.spec.diff main                      since a git ref
    python -m tools.spec.diff old.yaml                  from a file
    python -m tools.spec.diff http://127.0.0.1:8000/    from what a running agent serves

Each change is marked for the wire, between agents and clients of any make, and for Python users of this SDK.
Then come the next version by semver, and a draft for the changelog. Exits with 1 if anything breaks, with 2
where it can't tell.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..codegen.errors import GenerationError
from ..codegen.generate import generate
from .changes import Change
from .document import Document, SpecError, parse, read
from .fetch import fetch, is_url
from .python_changes import python_changes
from .walk import operations
from .wire_changes import wire_changes

__all__ = ["changelog", "compare", "main", "next_version", "report"]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
PACKAGE = ROOT / "src" / "synapse_sdk" / "__init__.py"


def compare(old: Document, new: Document) -> list[Change]:
    """All changes between two documents.

    Raises:
        SpecError: One of them can't be used.
    """
    with tempfile.TemporaryDirectory(prefix="spec-diff-") as name:
        folder = Path(name)
        # First, because what breaks a rule of ours is for no other tool.
        packages = [_generated(document, folder / which) for which, document in (("old", old), ("new", new))]
        owners = {
            str(called): str(place.raw["operationId"])
            for document in (old, new)
            for place in operations(document)
            for called in place.raw.get("x-aliases", [])
        }
        found = [*wire_changes(old, new, folder), *python_changes(packages[0], packages[1], owners)]
    return sorted(
        dict.fromkeys(found), key=lambda change: (change.subject, change.side != "wire", not change.breaking)
    )


def _generated(document: Document, folder: Path) -> Path:
    folder.mkdir()
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    try:
        generate(path, folder / "synapse_agent_api")
    except GenerationError as error:
        raise SpecError(str(error)) from None
    return folder


def report(changes: Sequence[Change]) -> str:
    """The changes by what they are about."""
    lines: list[str] = []
    for number, change in enumerate(changes):
        if number == 0 or changes[number - 1].subject != change.subject:
            lines.append(change.subject)
        lines.append(f"  {change.side:7} {'BREAKING' if change.breaking else 'ok':9} {change.words}")
    counts = [
        sum(change.breaking for change in changes if change.side == side) for side in ("wire", "python")
    ]
    several = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
    lines += ["", f"{several}: {counts[0]} breaking on the wire, {counts[1]} breaking for Python users"]
    return "\n".join(lines)


def next_version(version: str, changes: Sequence[Change]) -> str:
    """The version that semver asks for; before 1.0 a minor one may break."""
    major, minor, patch = (int(part) for part in re.findall(r"\d+", version)[:3])
    breaking = any(change.breaking for change in changes)
    feature = any(change.new for change in changes)
    if not changes:
        return f"{major}.{minor}.{patch}"
    if major == 0:
        return f"0.{minor + 1}.0" if breaking else f"0.{minor}.{patch + 1}"
    if breaking:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if feature else f"{major}.{minor}.{patch + 1}"


def changelog(version: str, changes: Sequence[Change]) -> str:
    """A draft of what users are told: what they see in Python, and what breaks on the wire unseen by them."""
    python = [change for change in changes if change.side == "python"]
    seen = {change.subject for change in python if change.breaking}
    wire = [c for c in changes if c.side == "wire" and c.breaking and c.subject not in seen]
    lines = [f"- **Breaking:** {_sentence(change.words)}" for change in python if change.breaking]
    lines += [f"- **Breaking:** `{change.subject}`: {_sentence(change.words)}" for change in wire]
    lines += [f"- {_sentence(change.words)}" for change in python if not change.breaking]
    if not lines and changes:
        lines = ["- The documentation of the API says more."]
    return "\n".join([f"## {version}", "", *lines])


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def base_of(base: str) -> tuple[Document, str]:
    """A document to compare with, and the version of this package that it belongs to.

    Raises:
        SpecError: There is none.
    """
    current = _version(PACKAGE.read_text(encoding="utf-8"))
    if is_url(base):
        return fetch(base), current
    if Path(base).is_file():
        return read(Path(base)), current
    document = parse(_git(base, "spec/openapi.yaml"), f"{base}:spec/openapi.yaml")
    return document, _version(_git(base, "src/synapse_sdk/__init__.py").decode("utf-8", "replace"))


def _version(source: str) -> str:
    found = re.search(r'^__version__ = "(\d+\.\d+\.\d+)', source, re.MULTILINE)
    if found is None:
        raise SpecError("src/synapse_sdk/__init__.py: no __version__, such as 1.2.3")
    return found[1]


def _git(ref: str, path: str) -> bytes:
    command = ["git", "show", "--end-of-options", f"{ref}:{path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SpecError(f"BASE={ref}: no file, URL, or git ref with a {path}; write BASE=main, for example")
    return done.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Tell what changed in the spec, and whom it breaks.")
    parser.add_argument("base", help="a git ref, a file, or the URL of an agent")
    parser.add_argument("--spec", type=Path, default=SPEC, help="the new document")
    options = parser.parse_args(argv)
    try:
        old, version = base_of(options.base)
        changes = compare(old, read(options.spec))
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not changes:
        print("no changes")
        return 0
    proposed = next_version(version, changes)
    print(report(changes))
    print(f"\nnext version: {proposed}, after {version}\n\nfor CHANGELOG.md:\n")
    print(changelog(proposed, changes))
    return 1 if any(change.breaking for change in changes) else 0


if __name__ == "__main__":
    sys.exit(main())
