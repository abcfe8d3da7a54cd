"""`synapse-agent token`: make, list and revoke the tokens of a token file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .process import write_output

__all__ = ["add_token_commands"]


def add_token_commands(parser: argparse.ArgumentParser) -> None:
    """Add the commands to a parser; each sets `run`, a function of the options."""
    parser.description = "Make, list and revoke the tokens of a file that serve reads with --token-file."
    actions = parser.add_subparsers(required=True, metavar="command")
    new = actions.add_parser("new", help="make a token, print it once, and add its hash to the file")
    new.add_argument("name", help="name of the token in logs")
    new.add_argument(
        "--role",
        choices=("read", "run", "admin"),
        default="run",
        help="read: look at everything; run: also run, stop and delete; admin: also change the policy and"
        " plugin releases (default: %(default)s)",
    )
    new.set_defaults(run=_new)
    list_ = actions.add_parser("list", help="list names and roles")
    list_.set_defaults(run=_list)
    revoke = actions.add_parser("revoke", help="remove a token; agents notice within a second")
    revoke.add_argument("name")
    revoke.set_defaults(run=_revoke)
    default = os.environ.get("SYNAPSE_AGENT_TOKEN_FILE")
    for action in (new, list_, revoke):
        action.add_argument(
            "--file",
            type=Path,
            default=Path(default) if default else None,
            required=not default,
            metavar="PATH",
            help="the token file (default: SYNAPSE_AGENT_TOKEN_FILE)",
        )


def _new(options: argparse.Namespace) -> None:
    from .http.route import Role
    from .tokens import TokenFile

    write_output(f"{TokenFile(options.file).add(options.name, Role[options.role.upper()])}\n")


def _list(options: argparse.Namespace) -> None:
    from .tokens import TokenFile

    tokens = TokenFile(options.file).read()
    write_output("".join(f"{token.name}\t{token.role.name.lower()}\n" for token in tokens))


def _revoke(options: argparse.Namespace) -> None:
    from .tokens import TokenFile

    TokenFile(options.file).remove(options.name)
