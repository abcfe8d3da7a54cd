"""The `synapse-agent` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import __version__
from .options import EPILOG, ServeOptions
from .process import describe, prepare_process, raise_open_files, write_error, write_output
from .token_commands import add_token_commands

if TYPE_CHECKING:
    from .server import Options

__all__ = ["main"]


_DESCRIPTIONS = {
    "serve": "Serve a Ray cluster over HTTP: one of its own, or the one that --ray names.",
    "check-config": "Check the options of serve, and print those that differ from the defaults.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 after a stop by signal and 1 if it could not serve."""
    try:
        prepare_process()
        try:
            parser = _parser()
            given = parser.parse_args(arguments)
            if "options" in given:
                given.options.load(given.config, os.environ)
                given = parser.parse_args(arguments)
            return int(given.run(given) or 0)
        finally:
            write_output("")  # flushes what argparse wrote
    except ValueError as error:
        return _failed(str(error))
    except ModuleNotFoundError as error:
        return _failed(f'{error.name} is not installed: pip install "synapse-sdk[agent]"')
    except KeyboardInterrupt:  # before our own handlers are in place
        return 130
    except OSError as error:
        return _failed(describe(error))
    except RuntimeError as error:
        if "new thread" not in str(error):
            raise
        return _failed(f"{error}: raise the limit of processes, see ulimit -u")


def _serve(given: argparse.Namespace) -> int:
    connections = raise_open_files()
    # Imported late, so that a missing extra gives a sentence and not a traceback.
    import asyncio

    from .errors import StartupError
    from .server import serve

    try:
        asyncio.run(serve(_options(given, connections)))
    except StartupError as error:
        return _failed(str(error))
    return 0


def _check(given: argparse.Namespace) -> int:
    from .errors import StartupError
    from .server import check_options

    try:
        check_options(_options(given, raise_open_files()))
    except StartupError as error:
        return _failed(str(error))
    write_output(given.options.shown(given))
    return 0


def _options(given: argparse.Namespace, connections: int) -> Options:
    from .containers.setup import ContainerOptions
    from .http.limits import Limits
    from .server import Options

    return Options(
        host=given.host,
        port=given.port,
        token=given.token or None,
        ray=given.ray,
        ray_token=given.ray_token or None,
        ready_file=given.ready_file,
        plugins=given.plugins,
        data=given.data,
        keep_logs=given.keep_logs,
        job_env=tuple(given.job_env),
        plugin_paths=tuple(given.plugin_path),
        limits=Limits(
            connections=given.max_connections,
            tails=given.max_tails,
            tails_per_job=given.max_tails_per_job,
        ),
        descriptors=connections,
        token_file=given.token_file,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        unix_socket=given.unix_socket,
        drain=given.drain,
        ray_bind=given.ray_bind,
        public_url=given.public_url,
        trusted_proxies=tuple(given.trusted_proxy),
        log_format=given.log_format,
        log_level=given.log_level,
        containers=ContainerOptions(
            docker=given.docker,
            base=given.container_base,
            network=given.container_network,
            host=given.container_host,
            ulimits=tuple(given.container_ulimit),
            start_timeout=given.container_start_timeout,
        ),
    )


def _failed(why: str) -> int:
    write_error(f"synapse-agent: {why}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="synapse-agent", description="An HTTP gateway over a Ray cluster for the Synapse SDK."
    )
    parser.add_argument("--version", action="version", version=f"synapse-agent {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    add_token_commands(commands.add_parser("token", help="make, list and revoke tokens"))
    for name, run, words in (
        ("serve", _serve, "serve a cluster over HTTP"),
        ("check-config", _check, "check the options of serve"),
    ):
        command = commands.add_parser(
            name,
            help=words,
            description=_DESCRIPTIONS[name],
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        options = ServeOptions(command)
        command.set_defaults(run=run, options=options)
    return parser


if __name__ == "__main__":
    sys.exit(main())
