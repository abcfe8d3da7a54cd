"""Which file is a job's log: the one on the node where its driver runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import aiohttp
from yarl import URL

from ..errors import ApiError
from ..ray.client import TERMINAL, JsonObject, RayClient
from .sources import (
    InterruptedReadError,
    LocalFile,
    LogSource,
    MissingLogError,
    NodeFile,
    log_name,
)
from .state_file import StateFile

__all__ = ["Located", "Locator"]

# Requests to Ray's state API at a time; Ray allows a hundred to all its clients together.
_STATE_SLOTS = 4

# Seconds after which a node that could not be reached directly is tried again.
_RETRY_NODE = 30.0


class Located(NamedTuple):
    """A log's source, and whether it is on another machine."""

    source: LogSource
    remote: bool


class Locator:
    """Finds the logs of one cluster's jobs.

    Args:
        ray: The cluster.
        log_dir: Where the head's logs lie on this machine, if the cluster is the agent's own.
        token: Ray's token. It is also sent to the nodes' own agents, unencrypted as to the dashboard, unless
            the dashboard's URL is https: the nodes may then be reached over a network that is not trusted.
    """

    def __init__(self, ray: RayClient, *, log_dir: Path | None, token: str | None) -> None:
        self._ray = ray
        self._log_dir = log_dir
        self._token = token if ray.url.scheme == "http" else None
        self._slots = asyncio.Semaphore(_STATE_SLOTS)
        self._nodes: aiohttp.ClientSession | None = None
        self._head: str | None = None
        self._unreachable: dict[str, float] = {}

    @property
    def has_local(self) -> bool:
        """Whether logs of the head are files on this machine."""
        return self._log_dir is not None

    async def close(self) -> None:
        if self._nodes is not None:
            await self._nodes.close()

    async def find(self, job: JsonObject) -> Located | None:
        """Return the log's source; None until Ray has chosen the node of the driver.

        A job that ended without a driver may have a log on the head, which says why.
        """
        name = log_name(job["submission_id"])
        node: str | None = job.get("driver_node_id")
        if node is None and job["status"] not in TERMINAL:
            return None
        if self._log_dir is not None and (node is None or node == await self.head()):
            return Located(LocalFile(self._log_dir / name), remote=False)
        address: str | None = job.get("driver_agent_http_address")
        if node is None:
            node = await self.head()
            address = None
        return Located(await self._remote(node, address, name), remote=True)

    async def head(self) -> str:
        """Return the id of the head node."""
        if self._head is not None:
            return self._head
        for found in await self._ray.nodes():
            if found.get("is_head_node") and found.get("state") == "ALIVE":
                # An embedded cluster keeps its head for as long as the agent lives.
                self._head = str(found["node_id"]) if self._log_dir is not None else None
                return str(found["node_id"])
        raise ApiError(503, f"Ray at {self._ray.address} knows of no living head node")

    async def node(self, node_id: str) -> JsonObject:
        """Return Ray's description of a node, dead or alive; empty if Ray does not know it."""
        found = [node for node in await self._ray.nodes() if node.get("node_id") == node_id]
        return found[0] if found else {}

    async def _remote(self, node: str, address: str | None, name: str) -> LogSource:
        clock = asyncio.get_running_loop().time
        why = ""
        if clock() - self._unreachable.get(node, -_RETRY_NODE) >= _RETRY_NODE:
            direct = self._direct(address, name)
            if direct is not None:
                try:
                    await direct.read(0, 1)  # also proves that parts of files are served
                    return direct
                except MissingLogError as error:
                    why = str(error)
                except InterruptedReadError as error:
                    why = str(error)
                    self._unreachable[node] = clock()
        return StateFile(self._ray, self._slots, node, name, why)

    def _direct(self, address: str | None, name: str) -> NodeFile | None:
        url = URL(address or "")
        if url.scheme != "http" or not url.host or not url.port:
            return None
        if self._nodes is None:
            # A session of its own, so that requests to the dashboard never wait for a slow node.
            self._nodes = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=16), auto_decompress=False
            )
        return NodeFile(self._nodes, url.with_path(f"/logs/{name}").with_user(None), self._token)
