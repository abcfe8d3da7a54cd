"""Write src/synapse_agent/openapi.json, the spec as the agent serves it, or check that it is up to date.

python -m tools.spec.agent_document            write it
python -m tools.spec.agent_document --check    exit 1 if it is not what the spec says
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .document import SpecError, read

__all__ = ["TARGET", "main", "text"]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
TARGET = ROOT / "src" / "synapse_agent" / "openapi.json"


def text(spec: Path = SPEC) -> str:
    """Return the document, indented so that diffs are readable."""
    document = read(spec)
    # Relative to where the document is: an agent may be behind any prefix.
    document["servers"] = [{"url": ".", "description": "This agent."}]
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def main(argv: Sequence[str]) -> int:
    """Run the command line."""
    try:
        wanted = text()
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if "--check" not in argv:
        TARGET.write_text(wanted, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{TARGET} is not what {SPEC} says; run `make generate`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
