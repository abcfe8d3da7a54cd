"""Check a spec: our own rules (`tools.spec.rules`), openapi-spec-validator, Redocly (`redocly.yaml`).

    python -m tools.spec.lint                spec/openapi.yaml
    python -m tools.spec.lint other.yaml     another one

Each of ours says how to mend what breaks it. They come first, and what they refuse is shown to no other tool:
those follow references, and try patterns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import openapi_spec_validator

from . import redocly
from .document import SpecError, read
from .rules import RULES, check

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
SECONDS = 120


def ours(spec: Path) -> int:
    try:
        found = check(read(spec))
    except SpecError as error:
        print(f"error: {error}")
        return 1
    for finding in found:
        print(finding)
    if found:
        print(f"{spec_name(spec)}: {len(found)} broken rules")
    return 1 if found else 0


def validate(spec: Path) -> int:
    command = [sys.executable, "-m", openapi_spec_validator.__name__, str(spec)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        print(f"error: openapi-spec-validator took more than {SECONDS} s; is a pattern very slow?")
        return 1
    if done.returncode:
        print(done.stdout.rstrip())
    return done.returncode


def run_redocly(spec: Path) -> int:
    try:
        done = redocly.run("lint", spec_name(spec))
    except TimeoutError as error:
        print(f"error: {error}")
        return 1
    if done.missing:
        if os.environ.get("CI"):
            print(f"{done.stderr}\n{redocly.REDOCLY} can't be fetched, and on CI the lint is not optional.")
            return done.code
        print(f"SKIPPED: {redocly.REDOCLY} is not in npm's cache and the npm registry can't be reached.")
        return 0
    if done.code:
        print(f"{done.stdout}\n{done.stderr}".strip())
    return done.code


def spec_name(spec: Path) -> str:
    path = spec.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main(argv: Sequence[str]) -> int:
    spec = Path(argv[0]) if argv else SPEC
    failed = ours(spec) or validate(spec) or run_redocly(spec)
    if not failed:
        print(f"{spec_name(spec)}: {len(RULES)} rules of ours and those of others: all well")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
