"""Ports and endpoints of containers."""

from __future__ import annotations

import random
import socket
from collections.abc import Container
from contextlib import suppress
from typing import cast

import aiohttp
from yarl import URL

from ..errors import ApiError
from ..ray.client import JsonObject, child

__all__ = ["INNER_PORT", "endpoint_url", "free_port", "listed_port", "published_port", "responds"]

# The port on which a container with its own network listens.
INNER_PORT = 8000

# Below the ephemeral ports, so that a container finds its port free when it is started again.
_PORTS = range(20_000, 32_000)

_PROBE = aiohttp.ClientTimeout(total=10)


def free_port(address: str, taken: Container[int]) -> int:
    """Return a port of this machine that is free and not in `taken`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in random.sample(_PORTS, 200):
        if port in taken:
            continue
        with socket.socket(family) as sock, suppress(OSError):
            sock.bind((address, port))
            return port
    raise ApiError(500, f"there is no free port on {address} between {_PORTS.start} and {_PORTS.stop - 1}")


def published_port(details: JsonObject) -> int | None:
    """Return the port on this machine that the engine publishes, from its details of the container."""
    bindings = child(child(details, "NetworkSettings"), "Ports").get(f"{INNER_PORT}/tcp")
    for binding in cast("list[JsonObject]", bindings or []):
        number = str(binding.get("HostPort", ""))
        if number.isdecimal():
            return int(number)
    return None


def listed_port(summary: JsonObject) -> int | None:
    """Return the published port from an entry of the engine's list of containers."""
    for port in cast("list[JsonObject]", summary.get("Ports") or []):
        if port.get("PrivatePort") == INNER_PORT and port.get("PublicPort"):
            return int(port["PublicPort"])
    return None


def endpoint_url(host: str, port: int) -> str:
    return str(URL.build(scheme="http", host=host, port=port))


async def responds(session: aiohttp.ClientSession, url: str) -> bool:
    """Return whether an HTTP server answers, with any status."""
    try:
        async with session.get(url, timeout=_PROBE, allow_redirects=False):
            return True
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return False
