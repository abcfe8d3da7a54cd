"""What building and managing containers share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from weakref import WeakValueDictionary

import aiohttp

from ..errors import ApiError
from ..ray.client import JsonObject, child
from .docker import Engine
from .network import answers, endpoint_url, published_port
from .store import ContainerStore

__all__ = ["ContainerContext", "ContainerSettings"]


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    engine: str  # the URL of its socket
    base: str  # the image that every image is built on
    network: str  # host, or the engine's network that the containers are in
    ulimits: tuple[JsonObject, ...]  # as the engine's API has them
    bind: str  # the machine's address that containers are reached by
    host: str  # its name in endpoints
    start_timeout: float  # seconds until a container has to answer


class ContainerContext:
    def __init__(self, engine: Engine, store: ContainerStore, settings: ContainerSettings) -> None:
        self.engine = engine
        self.store = store
        self.settings = settings
        # The name that our containers carry in the engine, once it is known.
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
        """The lock of that name, for as long as somebody holds it or waits for it."""
        return self._locks.setdefault(name, asyncio.Lock())

    async def discard(self, image: str) -> None:
        """Remove an image that no container of ours is made from."""
        async with self.lock(image):
            if not await self.store.uses(image):
                await self.engine.remove_image(image)

    async def until_it_answers(
        self, docker_id: str, port: int | None, hidden: frozenset[str] = frozenset()
    ) -> str:
        """The URL at which the container answers HTTP, once it does."""
        deadline = time.monotonic() + self.settings.start_timeout
        delay = 0.05
        while True:
            details = await self.engine.inspect(docker_id)
            if details is None:
                raise ApiError(500, "the container was removed before it answered")
            state = child(details, "State")
            if not state.get("Running"):
                words = await self.engine.last_words(docker_id, hidden)
                code = state.get("ExitCode")
                raise ApiError(500, f"the container ended with exit code {code} before it answered: {words}")
            number = port or published_port(details)
            if number is not None:
                url = endpoint_url(self.settings.host, number)
                if await answers(self._session, endpoint_url(_local(self.settings.bind), number)):
                    return url
            if time.monotonic() > deadline:
                words = await self.engine.last_words(docker_id, hidden)
                within = f"within {self.settings.start_timeout:g} s"
                raise ApiError(500, f"the container did not answer HTTP on its PORT {within}: {words}")
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 1.0)


def _local(bind: str) -> str:
    """The address by which we ourselves reach what listens there."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
