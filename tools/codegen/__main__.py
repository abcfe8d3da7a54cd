"""Generate `generated/synapse_agent_api`, or check that it is up to date.

python -m tools.codegen            generate it anew, whole
python -m tools.codegen --check    exit 1 and name the files that differ from what would be generated
"""

from __future__ import annotations

import sys

from .errors import GenerationError
from .version import require_generator


def main() -> int:
    try:
        require_generator()
    except GenerationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # Other versions of openapi-python-client may lack what the command imports.
    from .command import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
