"""Check the options of containers and open their manager."""

from __future__ import annotations

import fcntl
import math
import os
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ..database import Database, DatabaseUnusableError
from ..errors import StartupError
from .builds import ContainerBuilds
from .container_config import AgentAccess
from .context import ContainerContext, ContainerSettings
from .engine import Engine
from .manager import Containers
from .store import ContainerStore

__all__ = ["ContainerOptions", "opened_containers", "read_settings"]

# The name goes into a Dockerfile, so it must not end the line.
_IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._/:@-]{0,254}\Z")
_NETWORK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}\Z")
_HOST = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?\Z|[0-9a-fA-F:.]+\Z")
_ULIMIT = re.compile(r"([a-z]+)=(-1|[0-9]{1,18})(?::(-1|[0-9]{1,18}))?\Z")

# Docker's default network, in which each container has its own ports.
_NETWORK_DEFAULT = "bridge"
_START_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """The options of the command line; None or empty if not given."""

    docker: str | None = None
    base: str | None = None
    network: str | None = None
    host: str | None = None
    ulimits: Sequence[str] = ()
    start_timeout: float | None = None


def read_settings(options: ContainerOptions, *, bind: str, host: str) -> ContainerSettings | None:
    """Return the settings, or None without an engine. Raises StartupError for invalid options.

    `bind` is the address that the agent listens on, `host` the name in its URL.
    """
    if options.docker is None:
        if options != ContainerOptions():
            raise StartupError("the options for containers need --docker")
        return None
    if not re.match(r"unix:///.", options.docker):
        raise StartupError("--docker must be the URL of a socket, such as unix:///run/docker.sock")
    if options.base is None:
        raise StartupError("--docker needs --container-base, the image that containers are built on")
    if not _IMAGE.match(options.base):
        raise StartupError(f"--container-base: {options.base!r} is not an image name")
    network = _NETWORK_DEFAULT if options.network is None else options.network
    if not _NETWORK.match(network):
        raise StartupError(f"--container-network: {network!r} is not a network name")
    if options.host is not None and not _HOST.match(options.host):
        raise StartupError(f"--container-host: {options.host!r} is not a host name or address")
    timeout = _START_TIMEOUT if options.start_timeout is None else options.start_timeout
    if not (0 < timeout < math.inf):
        raise StartupError("--container-start-timeout must be a number of seconds above 0")
    return ContainerSettings(
        engine=options.docker,
        base=options.base,
        network=network,
        ulimits=tuple(_ulimit(text) for text in options.ulimits),
        bind=bind,
        host=options.host or host,
        start_timeout=timeout,
    )


def _ulimit(text: str) -> dict[str, Any]:
    found = _ULIMIT.match(text)
    if found is None:
        raise StartupError(f"--container-ulimit: {text!r} must have the form nofile=1024 or nofile=1024:2048")
    name, soft, hard = found.groups()
    return {"Name": name, "Soft": int(soft), "Hard": int(soft if hard is None else hard)}


@asynccontextmanager
async def opened_containers(
    settings: ContainerSettings, database: Database, *, agent_url: str, agent_token: str
) -> AsyncGenerator[Containers, None]:
    """Open the manager of containers, for one agent per data directory. Raises StartupError."""
    directory = database.path.parent / "containers"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupError(f"can't use {directory}: {error.strerror}; name another with --data") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            parent = database.path.parent
            raise StartupError(f"another agent runs containers from {parent}: name another --data") from None
        context = ContainerContext(Engine(settings.engine), ContainerStore(database), settings)
        builds = ContainerBuilds(context, directory / "builds", AgentAccess(agent_url, agent_token))
        containers = Containers(context, builds)
        try:
            await containers.open()
            yield containers
        except DatabaseUnusableError as error:
            raise StartupError(error.detail) from None
        finally:
            await containers.close()
    finally:
        os.close(lock)
