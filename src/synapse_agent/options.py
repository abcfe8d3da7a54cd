"""The options of `serve`, from the command line, the environment and a TOML file."""

from __future__ import annotations

import argparse
import json
import math
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

__all__ = ["EPILOG", "ServeOptions"]

EPILOG = """\
environment:
  SYNAPSE_AGENT_TOKEN   the token that clients must send; unlike --token, process lists do not show it
  RAY_AUTH_TOKEN        the token of the Ray cluster that --ray names
  SYNAPSE_PLUGINS       the same as --plugins
  SYNAPSE_AGENT_…       the same as any other option, such as SYNAPSE_AGENT_MAX_TAILS; lists with commas

The command line is stronger than the environment, and the environment than the file of --config.

Clients send a token in the Authorization header, bare or after "Bearer ".
"""


# Options that have variables of an older name.
_VARIABLES = {"plugins": "SYNAPSE_PLUGINS", "ray_token": "RAY_AUTH_TOKEN"}
_SECRETS = ("token", "ray_token")


class _Options:
    """A parser, or a group of one, that remembers its options."""

    def __init__(self, parser: Any, known: dict[str, argparse.Action]) -> None:
        self._parser = parser
        self.known = known

    def add(self, *names: str, **details: Any) -> None:
        action = self._parser.add_argument(*names, **details)
        self.known[action.dest] = action

    def group(self, title: str, description: str | None = None) -> _Options:
        return _Options(self._parser.add_argument_group(title, description), self.known)


class ServeOptions:
    """Add the options to a parser, with defaults that a file and the environment may change."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        options = _Options(parser, {})
        _add_options(options)
        self._known = options.known
        self._defaults = {name: action.default for name, action in self._known.items()}
        parser.add_argument(
            "--config",
            type=Path,
            metavar="PATH",
            help="TOML file with these options, each under its name without the dashes",
        )

    def load(self, file: Path | None, environment: Mapping[str, str]) -> None:
        """Make what a file and the environment say the defaults of the parser; the environment is stronger.

        Raises:
            ValueError: The file or a variable is wrong.
            OSError: The file can't be read.
        """
        named = environment.get("SYNAPSE_AGENT_CONFIG")
        file = file or (Path(named) if named else None)
        values = {} if file is None else self._read(file)
        for name in self._known:
            variable = _VARIABLES.get(name, f"SYNAPSE_AGENT_{name.upper()}")
            text = environment.get(variable)
            # Kubernetes sets SYNAPSE_AGENT_PORT to a URL for a Service of the name synapse-agent.
            if text and not (name == "port" and text.startswith("tcp://")):
                many = isinstance(self._defaults[name], list)
                values[name] = self._convert(name, text.split(",") if many else text, variable)
        for name, value in values.items():
            self._known[name].default = value

    def shown(self, options: argparse.Namespace) -> str:
        """Return the options as TOML that differ from the defaults, without secrets."""
        lines: list[str] = []
        for name, default in self._defaults.items():
            value = getattr(options, name)
            if value != default:
                text = "***" if name in _SECRETS else value
                lines.append(f"{name.replace('_', '-')} = {_toml(text)}\n")
        return "".join(lines)

    def _read(self, file: Path) -> dict[str, Any]:
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
        values: dict[str, Any] = {}
        for key, value in content.items():
            name = key.replace("-", "_")
            if name not in self._known or key != name.replace("_", "-"):
                raise ValueError(f"{file}: there is no option {key}")
            values[name] = self._convert(name, value, f"{file}: {key}")
        return values

    def _convert(self, name: str, value: object, where: str) -> object:
        if isinstance(self._defaults[name], list):
            if not isinstance(value, list):
                raise ValueError(f"{where} must be a list")
            return [self._convert_one(name, item, where) for item in cast("list[object]", value)]
        return self._convert_one(name, value, where)

    def _convert_one(self, name: str, value: object, where: str) -> object:
        action = self._known[name]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"{where} must be a text or a number")
        convert = cast("Any", action.type) or str
        try:
            converted: object = convert(str(value))
        except (argparse.ArgumentTypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None
        if action.choices is not None and converted not in action.choices:
            raise ValueError(f"{where} must be one of {', '.join(map(str, action.choices))}")
        return converted


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, cast('list[object]', value)))}]"
    if isinstance(value, int | float):
        return str(value)
    # JSON's texts are TOML's.
    return json.dumps(str(value))


def _add_options(options: _Options) -> None:
    options.add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    options.add("--port", type=int, default=8000, help="port; 0 finds a free one (default: %(default)s)")
    options.add(
        "--unix-socket",
        type=Path,
        metavar="PATH",
        help="also listen on this Unix socket, for its owner and group, without TLS",
    )
    options.add(
        "--tls-cert",
        type=Path,
        metavar="PATH",
        help="certificate chain in PEM, read again when it changes",
    )
    options.add("--tls-key", type=Path, metavar="PATH", help="key of the certificate, without a password")
    options.add(
        "--drain",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="seconds from SIGTERM, when /readyz turns to 503, until the agent stops and log streams go on"
        " elsewhere; a second SIGTERM stops it at once (default: 0)",
    )
    options.add("--token", help="token that clients must send (default: a random one, printed)")
    options.add(
        "--token-file",
        type=Path,
        metavar="PATH",
        help="further tokens, by name and role, as synapse-agent token makes them",
    )
    options.add(
        "--ray",
        metavar="URL",
        help="dashboard of a running cluster (default: start one, which needs the extra agent-ray)",
    )
    options.add(
        "--ray-bind",
        metavar="ADDRESS",
        help="address of this machine by which other nodes reach the cluster that the agent starts; Ray then"
        " listens on all addresses (default: on 127.0.0.1 only)",
    )
    options.add("--ray-token", metavar="TOKEN", help="token of that cluster")
    options.add(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="when ready, write url, token and pid to this file as JSON, readable by its owner only",
    )
    options.add(
        "--job-env",
        action="append",
        default=[],
        metavar="NAME",
        help="variable of the agent's environment that jobs get as well, such as HF_HOME or AWS_*; repeatable"
        " (default: only what programs need to run, such as PATH)",
    )
    options.add(
        "--plugin-path",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="directory that debug runs may take plugins from, by `plugin_path`; repeatable (default: none)",
    )
    options.add(
        "--plugins",
        type=Path,
        metavar="DIR",
        help="directory that plugin releases are created from: DIR/code@version, DIR/code/version or"
        " DIR/code, each a directory or a .zip (default: releases can't be created)",
    )
    options.add(
        "--data",
        type=Path,
        metavar="DIR",
        help="directory for what the agent keeps across restarts (default: in the user's state directory)",
    )
    options.add(
        "--keep-logs",
        type=_size,
        metavar="SIZE",
        help="keep logs that were read through this agent after their cluster is gone, up to this size in"
        " total, such as 2G (default: keep none)",
    )
    _add_proxy_options(options)
    _add_limit_options(options)
    _add_log_options(options)
    _add_container_options(options)


def _add_proxy_options(options: _Options) -> None:
    group = options.group("proxies in front of the agent")
    group.add(
        "--public-url",
        metavar="URL",
        help="URL by which jobs and containers reach the agent, such as https://example.org/agent"
        " (default: the address that it listens on)",
    )
    group.add(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address or network, such as 10.0.0.0/8, of proxies whose X-Forwarded-For is believed in logs;"
        " may be repeated (default: none)",
    )


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _add_limit_options(options: _Options) -> None:
    group = options.group("limits", "Beyond them, clients get 503 with Retry-After.")
    group.add(
        "--max-connections",
        type=_count,
        default=4096,
        metavar="N",
        help="connections at the same time, as far as the limit of open files allows (default: %(default)s)",
    )
    group.add(
        "--max-tails",
        type=_count,
        default=2000,
        metavar="N",
        help="log streams at the same time (default: %(default)s)",
    )
    group.add(
        "--max-tails-per-job",
        type=_count,
        default=1000,
        metavar="N",
        help="log streams of one job at the same time (default: %(default)s)",
    )


def _add_log_options(options: _Options) -> None:
    group = options.group("logs")
    group.add(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="format of the lines on standard error (default: %(default)s)",
    )
    group.add(
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


def _add_container_options(options: _Options) -> None:
    group = options.group("containers")
    group.add(
        "--docker",
        metavar="URL",
        help="socket of a Docker-compatible engine, such as unix:///run/docker.sock (default: no containers)",
    )
    group.add(
        "--container-base",
        metavar="IMAGE",
        help="image that containers are built on; its label synapse.command is the command that runs in them."
        " Without the label, Python in the image runs the plugin's restapi or serve action",
    )
    group.add(
        "--container-network",
        metavar="NAME",
        help="network of the containers; with host they listen on free ports of this machine, with any other"
        " network the engine publishes their port (default: bridge)",
    )
    group.add(
        "--container-host",
        metavar="NAME",
        help="name or address of this machine in the endpoints (default: the one in the agent's URL)",
    )
    group.add(
        "--container-ulimit",
        action="append",
        default=[],
        metavar="NAME=SOFT[:HARD]",
        help="limit that containers run with, such as nofile=1024; may be repeated",
    )
    group.add(
        "--container-start-timeout",
        type=float,
        metavar="SECONDS",
        help="seconds until a container must answer HTTP (default: 300)",
    )
