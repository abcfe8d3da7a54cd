"""Generate the package, or check that it is up to date."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..spec.document import shown
from .errors import GenerationError
from .generate import SPEC, TARGET, generate

__all__ = ["differences", "files", "main"]


def files(folder: Path) -> dict[str, bytes]:
    """Read a package's files by their names relative to it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(expected: Path, actual: Path) -> list[str]:
    """Name the files that are not the same, byte for byte, in two packages."""
    there, here = files(expected), files(actual)
    return [
        *(f"missing: {name}" for name in there if name not in here),
        *(f"stale:   {name}" for name in here if name not in there),
        *(f"differs: {name}" for name in there if name in here and there[name] != here[name]),
    ]


def replace(source: Path, target: Path) -> None:
    """Put one folder where another may be, whole."""
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.codegen", description="Generate the REST layer from the spec."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if anything would change"
    )
    parser.add_argument("--spec", type=Path, default=SPEC, help="the OpenAPI document")
    parser.add_argument("--output", type=Path, default=TARGET, help="the package's folder")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="synapse-generate-") as folder:
        fresh = Path(folder) / "synapse_agent_api"
        try:
            generate(options.spec, fresh)
        except GenerationError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except Exception as error:  # noqa: BLE001 - its parser may raise anything on what no rule here knows
            print(
                f"error: the generator failed: {type(error).__name__}: {shown(error, 500)}", file=sys.stderr
            )
            return 1
        if not options.check:
            replace(fresh, options.output)
            return 0
        found = differences(fresh, options.output)
    if found:
        print(f"{options.output} is not what {options.spec} generates; run `make generate`:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in found), file=sys.stderr)
    return 1 if found else 0
