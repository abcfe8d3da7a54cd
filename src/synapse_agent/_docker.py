"""A Docker-compatible engine by its socket, with its failures turned into ours."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiodocker
import aiohttp

from synapse_agent._errors import ApiError
from synapse_agent._ray import JsonObject
from synapse_agent._redaction import hide

__all__ = ["Engine", "EngineError", "EngineUnreachableError", "Image"]

_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)

# Seconds that a container has to end by itself before it is killed.
_GRACE = 10

_TOLD = 600  # characters of the engine's words that are passed on


class EngineUnreachableError(ApiError):
    """503: nobody answers at the socket."""


class EngineError(ApiError):
    """The engine refused: its 400, 404 or 409, anything else as 500."""

    def __init__(self, doing: str, status: int, message: str) -> None:
        told = hide(message, ())[:_TOLD] or "no reason given"
        super().__init__(status if status in (400, 404, 409) else 500, f"Docker can't {doing}: {told}")


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    labels: Mapping[str, str]


class Engine:
    """Speaks to one engine. Make it inside a running loop."""

    def __init__(self, url: str) -> None:
        self.url = url
        # No connection is used twice: one that the engine closed meanwhile would look as if it had broken.
        self._connector = aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0, force_close=True)
        # It is typed in part only.
        self._docker: Any = aiodocker.Docker("unix://localhost", self._connector, timeout=_TIMEOUT)

    async def close(self) -> None:
        await self._docker.close()
        await self._connector.close()

    async def ping(self) -> None:
        """Raises EngineUnreachableError unless an engine answers."""
        async with self._asked("tell its version"):
            # Behind a restart of the engine there may be another version.
            self._docker.api_version = "auto"
            await self._docker.version()

    # -- images

    async def base(self, image: str) -> Image:
        """An image, which is pulled where the engine does not have it."""
        found = await self.image(image)
        if found is None:
            async with self._asked(f"pull the base image {image}", changes=True):
                await self._docker.images.pull(image)
            found = await self.image(image)
        if found is None:
            raise EngineError(f"find the image {image}", 404, "it is not there after the pull")
        return found

    async def image(self, name: str) -> Image | None:
        """What the engine knows of an image; None if it has none of that name."""
        try:
            async with self._asked(f"find the image {name}"):
                found = await self._docker.images.inspect(name)
                config = cast("JsonObject", found.get("Config") or {})
                return Image(str(found["Id"]), cast("dict[str, str]", config.get("Labels") or {}))
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def build(self, tag: str, context: Path) -> None:
        """Build an image from a tar with its Dockerfile."""
        said: deque[str] = deque(maxlen=8)
        doing = "build the image"
        try:
            with context.open("rb") as file:
                async with self._asked(doing, changes=True):
                    stream = self._docker.images.build(
                        fileobj=file, encoding="identity", tag=tag, forcerm=True, stream=True
                    )
                    async for event in stream:
                        said.append(str(event.get("stream", "")))
        except EngineError as error:
            # The reason is in the output of the step that failed, not in the error.
            output = hide(" ".join(said), ())[-_TOLD:]
            raise ApiError(error.status, f"{error.detail}; the last of its output: {output}") from None
        if await self.image(tag) is None:  # aiodocker takes a broken connection for the stream's end
            raise EngineError(doing, 500, "its answer broke off")

    async def tags(self, repository: str) -> list[str]:
        """The tags of a repository, each with its name."""
        async with self._asked("list images"):
            found = cast("list[JsonObject]", await self._docker.images.list())
            tags = [str(tag) for image in found for tag in image.get("RepoTags") or ()]
        # Podman puts a registry before it.
        return [
            f"{repository}:{tag.partition(f'{repository}:')[2]}" for tag in tags if f"{repository}:" in tag
        ]

    async def remove_image(self, tag: str) -> None:
        """Remove an image, unless there is none or a container needs it."""
        try:
            async with self._asked("remove the image", changes=True):
                await self._docker.images.delete(tag)
        except EngineError as error:
            if error.status not in (404, 409):
                raise

    # -- containers

    async def create(self, name: str, config: JsonObject) -> str:
        async with self._asked("create the container", changes=True):
            return str((await self._docker.containers.create(config, name=name)).id)

    async def start(self, container_id: str) -> None:
        async with self._asked("start the container", changes=True):
            await self._docker.containers.container(container_id).start()

    async def stop(self, container_id: str) -> None:
        """Stop a container; fine if it is stopped already."""
        async with self._asked("stop the container", changes=True):
            await self._docker.containers.container(container_id).stop(t=_GRACE)

    async def remove(self, container_id: str) -> None:
        """Kill and remove a container; fine if there is none."""
        try:
            async with self._asked("remove the container", changes=True):
                await self._docker.containers.container(container_id).delete(force=True, v=True)
        except EngineError as error:
            if error.status != 404:
                raise

    async def inspect(self, container_id: str) -> JsonObject | None:
        """What the engine knows of a container; None if there is none."""
        try:
            async with self._asked("inspect the container"):
                return cast("JsonObject", await self._docker.containers.container(container_id).show())
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def containers(self, label: str) -> dict[str, JsonObject]:
        """All containers with `label`, which is `name=value`, by their ids; ended ones too."""
        query: JsonObject = {"all": True, "filters": json.dumps({"label": [label]})}
        async with self._asked("list containers"):
            found = await self._docker._query_json("containers/json", params=query)
            return {container["Id"]: container for container in cast("list[JsonObject]", found)}

    async def last_words(self, container_id: str, secrets: Iterable[str]) -> str:
        """The end of what a container printed, in one line and without `secrets`."""
        async with self._asked("read the container's log"):
            container = self._docker.containers.container(container_id)
            lines = await container.log(stdout=True, stderr=True, tail=10)
        return hide("".join(lines), secrets)[-_TOLD:]

    @asynccontextmanager
    async def _asked(self, doing: str, *, changes: bool = False) -> AsyncGenerator[None, None]:
        try:
            yield
        except aiodocker.DockerError as error:
            if error.status == 900:  # aiodocker's own, for a connection that fails
                raise self._failed(doing, changes, error.__context__) from None
            raise EngineError(doing, error.status, error.message) from None
        except TimeoutError:
            why = f"Docker at {self.url} did not {doing} in time"
            # A 503 says that nothing was done.
            raise ApiError(500 if changes else 503, why) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._failed(doing, changes, error) from None
        # aiodocker decodes without looking, and we look for what an engine has to say.
        except (AttributeError, KeyError, TypeError, ValueError):
            raise EngineUnreachableError(503, f"what answers at {self.url} is no Docker engine") from None

    def _failed(self, doing: str, changes: bool, error: BaseException | None) -> ApiError:
        if isinstance(error, aiohttp.ClientConnectorError):
            return EngineUnreachableError(503, f"Docker is unreachable at {self.url}")
        why = f"the connection to Docker at {self.url} broke"
        return ApiError(500, f"{why}; it may {doing} all the same") if changes else ApiError(503, why)
