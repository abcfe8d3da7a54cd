"""Find phrases that make comments and documentation hard to read, and name a plain one for each.

    python -m tools.plain_english

The list is short on purpose: it has what was written here often, and should not come back.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["findings", "main"]

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    ".github",
    "benchmarks",
    "docs",
    "examples",
    "scripts",
    "spec",
    "src",
    "templates",
    "tests",
    "tools",
)
SUFFIXES = {".jinja", ".md", ".py", ".sh", ".yaml", ".yml"}
# Itself, its test, and the specs of releases, which stay as they were.
LEFT_OUT = {
    Path(__file__),
    ROOT / "tests" / "unit" / "test_plain_english.py",
    ROOT / "tests" / "spec" / "releases",
}

PHRASES = {
    r'"""Gives? (?!up)': "Return …, or Yield …",
    r'"""Tells? (?!apart)': "Return whether …, or Report …",
    r'"""Says? ': "Report …, or Print …",
    r'"""(See to it|Take note)': "the verb of what it does: Cancel, Close, Record, …",
    r"\bso as to\b": "to",
    r"\bwhoever\b": "anyone who, or name the caller",
    r"(?<!can't )\b(is|are|was|were|be) told\b(?! apart)": "gets, is called with, or name who sends what",
    r"\btells? of\b": "reports, or describes",
    r"\bhas no business\b": "must not",
    r"\bsee to it\b": "make sure",
    r"\bbears?\b": "has, supports or applies",
}
_PHRASES = [(re.compile(phrase, re.IGNORECASE), plain) for phrase, plain in PHRASES.items()]


def findings(path: Path) -> Iterator[str]:
    """Yield `line: phrase` with the plain one, for each that a file has."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for phrase, plain in _PHRASES:
            for found in phrase.finditer(line):
                yield f"{number}: {found[0].strip()!r}; plain: {plain}"


def files() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and LEFT_OUT.isdisjoint({path, *path.parents}):
                yield path


def main() -> int:
    count = 0
    for path in files():
        for finding in findings(path):
            print(f"{path.relative_to(ROOT)}:{finding}")
            count += 1
    if count:
        print(f"{count} phrases to rewrite", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
