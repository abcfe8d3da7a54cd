"""The `synapse` command (extra `cli`).

Example:
    $ synapse jobs logs train-42 --follow
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the program's name; the process's own by default.

    Returns:
        The exit status; `synapse --help` lists them.

    Example:
        >>> status = main(["jobs", "list", "--json"])  # doctest: +SKIP
    """
    try:
        try:
            import click  # noqa: F401 # pyright: ignore[reportUnusedImport]
        except ModuleNotFoundError as error:
            sys.stderr.write(f'synapse: {error.name} is not installed: pip install "synapse-sdk[cli]"\n')
            return 1
        from ._app import run

        return run(arguments)
    except KeyboardInterrupt:  # amid the imports
        return 130
