"""State that the builds and the manager of containers share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from weakref import WeakValueDictionary

import aiohttp

from ..errors import ApiError
from ..ray.client import JsonObject, child
from .engine import Engine
from .network import endpoint_url, published_port, responds
from .store import ContainerStore

__all__ = ["ContainerContext", "ContainerSettings"]


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    engine: str  # the URL of its socket
    base: str  # the image that all images are built on
    network: str  # `host` or the name of a network of the engine
    ulimits: tuple[JsonObject, ...]  # in the form of the engine's API
    bind: str  # this machine's address for the ports of containers
    host: str  # this machine's name in endpoints
    start_timeout: float  # seconds a container has until it must answer


class ContainerContext:
    """The engine, the store, and the settings, with locks by name."""

    def __init__(self, engine: Engine, store: ContainerStore, settings: ContainerSettings) -> None:
        self.engine = engine
        self.store = store
        self.settings = settings
        # Value of the label on our containers; set by `Containers.open`.
        self.owner = ""
        self._session = aiohttp.ClientSession()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        await self._session.close()
        await self.engine.close()

    @property
    def repository(self) -> str:
        return f"synapse-agent/{self.owner}"

    @property
    def label(self) -> str:
        return f"synapse.agent={self.owner}"

    def lock(self, name: str) -> asyncio.Lock:
        """Return the lock of that name."""
        return self._locks.setdefault(name, asyncio.Lock())

    async def discard(self, image: str) -> None:
        """Remove an image, unless one of our containers uses it."""
        async with self.lock(image):
            if not await self.store.uses(image):
                await self.engine.remove_image(image)

    async def wait_for_answer(
        self, docker_id: str, port: int | None, hidden: frozenset[str] = frozenset()
    ) -> str:
        """Return the URL of the container, once it answers HTTP."""
        deadline = time.monotonic() + self.settings.start_timeout
        delay = 0.05
        while True:
            details = await self.engine.inspect(docker_id)
            if details is None:
                raise ApiError(500, "the container was removed before it answered")
            state = child(details, "State")
            if not state.get("Running"):
                output = await self.engine.log_tail(docker_id, hidden)
                code = state.get("ExitCode")
                raise ApiError(500, f"the container ended with exit code {code} before it answered: {output}")
            number = port or published_port(details)
            if number is not None:
                url = endpoint_url(self.settings.host, number)
                if await responds(self._session, endpoint_url(_local(self.settings.bind), number)):
                    return url
            if time.monotonic() > deadline:
                output = await self.engine.log_tail(docker_id, hidden)
                within = f"within {self.settings.start_timeout:g} s"
                raise ApiError(500, f"the container did not answer HTTP on its PORT {within}: {output}")
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 1.0)


def _local(bind: str) -> str:
    """Return an address at which this machine reaches a server that listens at `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
