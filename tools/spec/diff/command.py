"""Report what changed in the spec, and whether it breaks the wire or Python users.

    python -m tools.spec.diff main                      since a git ref
    python -m tools.spec.diff old.yaml                  from a file
    python -m tools.spec.diff http://127.0.0.1:8000/    from what a running agent serves

Each change is marked for the wire, between agents and clients of any make, and for Python users of this SDK.
Then come the next version by semver, and a draft for the changelog. Exits with 1 if anything breaks, with 2
where it can't tell.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...codegen.errors import GenerationError
from ..document import Document, SpecError, parse, read, shown
from ..fetch import fetch, is_url
from .api import Api
from .changes import Change
from .python import python_changes, reassigned, surface
from .wire import wire_changes

__all__ = ["changelog", "compare", "main", "next_version", "report"]

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT / "spec" / "openapi.yaml"
PACKAGE = ROOT / "src" / "synapse_sdk" / "__init__.py"


def compare(old: Document, new: Document) -> list[Change]:
    """Return all changes between two documents that `tools.spec.document` has read.

    Raises:
        SpecError: One of them can't be compared.
    """
    # Models that refer to each other are followed one within the other, and large APIs have hundreds.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10_000))
    try:
        apis = Api(old), Api(new)
        found, client_breaks = wire_changes(*apis)
    except RecursionError:
        raise SpecError("schemas within schemas, deeper than can be compared; name fewer") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SpecError(f"not valid OpenAPI, which `make spec-lint SPEC=…` shows: {shown(error)}") from None
    finally:
        sys.setrecursionlimit(limit)
    try:
        before = surface(old)
    except GenerationError as error:
        # Without an old client there are no users to break.
        words = f"there was none: {_first_line(error)}"
        return _sorted([*found, Change("the client", "python", False, words)]) if found else []
    try:
        after = surface(new)
    except GenerationError as error:
        words = f"can't be generated any more: {_first_line(error)}"
        return _sorted([*found, Change("the client", "python", True, words)])
    python = [*python_changes(before, after), *reassigned(apis, (before, after))]
    said = {
        (change.subject, word)
        for change in python
        if change.breaking
        for word in ("", *change.words.split("`"))
    }
    found += python
    for item in client_breaks:
        # Where a signature or an attribute says so, that is enough.
        if item.operation in before.methods.keys() & after.methods.keys() and item[1:3] not in said:
            found.append(Change(item.subject, "python", True, item.words))
    return _sorted(found)


def _first_line(error: Exception) -> str:
    return shown(str(error).partition("\n")[0], 300)


def _sorted(changes: Sequence[Change]) -> list[Change]:
    return sorted(
        dict.fromkeys(changes),
        key=lambda change: (change.subject, change.side != "wire", not change.breaking),
    )


def report(changes: Sequence[Change]) -> str:
    """Write the changes by what they are about."""
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
    """Return the version that semver asks for; before 1.0 a minor one may break."""
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
    """Draft the entry for CHANGELOG.md: what users see in Python, and what breaks on the wire only."""
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
    """Return a document to compare with, and the version of this package that it belongs to.

    Raises:
        SpecError: There is none.
    """
    current = _version(PACKAGE.read_text(encoding="utf-8"))
    if is_url(base):
        return fetch(base, strict=False), current
    if Path(base).is_file():
        return read(Path(base), strict=False), current
    document = parse(_git(base, "spec/openapi.yaml"), f"{base}:spec/openapi.yaml", strict=False)
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
        changes = compare(old, read(options.spec, strict=False))
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
