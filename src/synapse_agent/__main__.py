"""The `synapse-agent` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .process import describe, prepare_process, raise_open_files, write_error, write_output

__all__ = ["main"]

_EPILOG = """\
environment:
  SYNAPSE_AGENT_TOKEN  the token that clients must send; unlike --token, process lists do not show it
  RAY_AUTH_TOKEN       the token of the Ray cluster that --ray names
  SYNAPSE_PLUGINS      the same as --plugins
  SYNAPSE_AGENT_DATA   the same as --data

Clients send the token in the Authorization header.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 after a stop by signal and 1 if it could not serve."""
    try:
        prepare_process()
        try:
            return _serve(_parser().parse_args(arguments))
        finally:
            write_output("")  # flushes what argparse wrote
    except KeyboardInterrupt:  # before our own handlers are in place
        return 130
    except OSError as error:
        return _failed(describe(error))
    except RuntimeError as error:
        if "new thread" not in str(error):
            raise
        return _failed(f"{error}: raise the limit of processes, see ulimit -u")


def _serve(options: argparse.Namespace) -> int:
    try:
        connections = raise_open_files()
        # Imported late, so that a missing extra gives a sentence and not a traceback.
        import asyncio

        from .containers.setup import ContainerOptions
        from .errors import StartupError
        from .http.limits import Limits
        from .server import Options, serve
    except ModuleNotFoundError as error:
        return _failed(f'{error.name} is not installed: pip install "synapse-sdk[agent]"')
    try:
        asyncio.run(
            serve(
                Options(
                    host=options.host,
                    port=options.port,
                    token=options.token or os.environ.get("SYNAPSE_AGENT_TOKEN") or None,
                    ray=options.ray,
                    ray_token=options.ray_token or os.environ.get("RAY_AUTH_TOKEN") or None,
                    ready_file=options.ready_file,
                    plugins=_path(options.plugins, "SYNAPSE_PLUGINS"),
                    job_env=tuple(options.job_env),
                    plugin_paths=tuple(options.plugin_path),
                    data=_path(options.data, "SYNAPSE_AGENT_DATA"),
                    keep_logs=options.keep_logs,
                    limits=Limits(
                        connections=options.max_connections,
                        tails=options.max_tails,
                        tails_per_job=options.max_tails_per_job,
                    ),
                    descriptors=connections,
                    public_url=options.public_url,
                    trusted_proxies=tuple(options.trusted_proxy),
                    log_format=options.log_format,
                    log_level=options.log_level,
                    containers=ContainerOptions(
                        docker=options.docker,
                        base=options.container_base,
                        network=options.container_network,
                        host=options.container_host,
                        ulimits=tuple(options.container_ulimit),
                        start_timeout=options.container_start_timeout,
                    ),
                )
            )
        )
    except StartupError as error:
        return _failed(str(error))
    return 0


def _path(given: Path | None, variable: str) -> Path | None:
    named = os.environ.get(variable)
    return given or (Path(named) if named else None)


def _failed(why: str) -> int:
    write_error(f"synapse-agent: {why}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="synapse-agent", description="An HTTP gateway over a Ray cluster for the Synapse SDK."
    )
    parser.add_argument("--version", action="version", version=f"synapse-agent {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser(
        "serve",
        help="serve a cluster over HTTP",
        description="Serve a Ray cluster over HTTP: one of its own, or the one that --ray names.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument(
        "--port", type=int, default=8000, help="port; 0 finds a free one (default: %(default)s)"
    )
    serve.add_argument("--token", help="token that clients must send (default: a random one, printed)")
    serve.add_argument(
        "--ray",
        metavar="URL",
        help="dashboard of a running cluster (default: start one, which needs the extra agent-ray)",
    )
    serve.add_argument("--ray-token", metavar="TOKEN", help="token of that cluster")
    serve.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="when ready, write url, token and pid to this file as JSON, readable by its owner only",
    )
    serve.add_argument(
        "--job-env",
        action="append",
        default=[],
        metavar="NAME",
        help="variable of the agent's environment that jobs get as well, such as HF_HOME or AWS_*; repeatable"
        " (default: only what programs need to run, such as PATH)",
    )
    serve.add_argument(
        "--plugin-path",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="directory that debug runs may take plugins from, by `plugin_path`; repeatable (default: none)",
    )
    serve.add_argument(
        "--plugins",
        type=Path,
        metavar="DIR",
        help="directory that plugin releases are created from: DIR/code@version, DIR/code/version or"
        " DIR/code, each a directory or a .zip (default: releases can't be created)",
    )
    serve.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="directory for what the agent keeps across restarts (default: in the user's state directory)",
    )
    serve.add_argument(
        "--keep-logs",
        type=_size,
        metavar="SIZE",
        help="keep logs that were read through this agent after their cluster is gone, up to this size in"
        " total, such as 2G (default: keep none)",
    )
    _add_proxy_options(serve)
    _add_limit_options(serve)
    _add_log_options(serve)
    _add_container_options(serve)
    return parser


def _add_proxy_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("proxies in front of the agent")
    group.add_argument(
        "--public-url",
        metavar="URL",
        help="URL by which jobs and containers reach the agent, such as https://example.org/agent"
        " (default: the address that it listens on)",
    )
    group.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address or network, such as 10.0.0.0/8, of proxies whose X-Forwarded-For is believed in logs;"
        " may be repeated (default: none)",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _add_limit_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits", "Beyond them, clients get 503 with Retry-After.")
    group.add_argument(
        "--max-connections",
        type=_count,
        default=4096,
        metavar="N",
        help="connections at the same time, as far as the limit of open files allows (default: %(default)s)",
    )
    group.add_argument(
        "--max-tails",
        type=_count,
        default=2000,
        metavar="N",
        help="log streams at the same time (default: %(default)s)",
    )
    group.add_argument(
        "--max-tails-per-job",
        type=_count,
        default=1000,
        metavar="N",
        help="log streams of one job at the same time (default: %(default)s)",
    )


def _add_log_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("logs")
    group.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="format of the lines on standard error (default: %(default)s)",
    )
    group.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="warning",
        help="least level that is written; info has a line for each request, and an audit line for each"
        " change (default: %(default)s)",
    )


def _size(text: str) -> int:
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    unit = units.get(text[-1:].upper())
    number = text if unit is None else text[:-1]
    if not (number.isascii() and number.isdecimal() and int(number)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500M or 2G")
    return int(number) * (unit or 1)


def _add_container_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("containers")
    group.add_argument(
        "--docker",
        metavar="URL",
        help="socket of a Docker-compatible engine, such as unix:///run/docker.sock (default: no containers)",
    )
    group.add_argument(
        "--container-base",
        metavar="IMAGE",
        help="image that containers are built on; its label synapse.command is the command that runs in them."
        " Without the label, Python in the image runs the plugin's restapi or serve action",
    )
    group.add_argument(
        "--container-network",
        metavar="NAME",
        help="network of the containers; with host they listen on free ports of this machine, with any other"
        " network the engine publishes their port (default: bridge)",
    )
    group.add_argument(
        "--container-host",
        metavar="NAME",
        help="name or address of this machine in the endpoints (default: the one in the agent's URL)",
    )
    group.add_argument(
        "--container-ulimit",
        action="append",
        default=[],
        metavar="NAME=SOFT[:HARD]",
        help="limit that containers run with, such as nofile=1024; may be repeated",
    )
    group.add_argument(
        "--container-start-timeout",
        type=float,
        metavar="SECONDS",
        help="seconds until a container must answer HTTP (default: 300)",
    )


if __name__ == "__main__":
    sys.exit(main())
