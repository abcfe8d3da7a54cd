"""Images and containers of a Docker-compatible engine."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..errors import ApiError
from ..ray.client import JsonObject
from ..redaction import hide
from .engine_api import MAX_MESSAGE, EngineApi, EngineError, read_json

__all__ = ["Engine", "Image"]

# Seconds that a container has to end by itself before it is killed.
_GRACE = 10


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    labels: Mapping[str, str]


class Engine:
    """Images and containers of one engine. Create it inside a running event loop."""

    def __init__(self, url: str) -> None:
        self._api = EngineApi(url)
        self.close = self._api.close
        self.ping = self._api.ping

    # -- images

    async def base(self, image: str) -> Image:
        """Return an image, after a pull if the engine lacks it."""
        found = await self.image(image)
        if found is None:
            query = {"fromImage": image}
            # Without a tag the engine would pull every tag.
            if not {":", "@"} & set(image.rpartition("/")[2]):
                query["tag"] = "latest"
            async for _ in self._api.output("images/create", f"pull the base image {image}", query):
                pass
            found = await self.image(image)
        if found is None:
            raise EngineError(f"find the image {image}", 404, "it is not there after the pull")
        return found

    async def image(self, name: str) -> Image | None:
        """Return the image of that name, or None."""
        try:
            async with self._api.request("GET", f"images/{name}/json", f"find the image {name}") as response:
                found = await read_json(response)
                config = cast("JsonObject", found.get("Config") or {})
                return Image(str(found["Id"]), cast("dict[str, str]", config.get("Labels") or {}))
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def build(self, tag: str, context: Path) -> None:
        """Build an image from a tar file with a Dockerfile in it."""
        recent: deque[str] = deque(maxlen=8)
        action = "build the image"
        try:
            with context.open("rb") as file:
                query = {"t": tag, "rm": "1", "forcerm": "1"}
                async for output in self._api.output("build", action, query, file):
                    recent.append(output)
        except EngineError as error:
            # The reason is in the output of the step that failed, not in the error.
            output = hide(" ".join(recent), ())[-MAX_MESSAGE:]
            raise ApiError(error.status, f"{error.detail}; the last of its output: {output}") from None
        if await self.image(tag) is None:
            raise EngineError(action, 500, "its answer broke off")

    async def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, each as `repository:tag`."""
        async with self._api.request("GET", "images/json", "list images") as response:
            found = cast("list[JsonObject]", await read_json(response))
            tags = [str(tag) for image in found for tag in image.get("RepoTags") or ()]
        # Podman prepends a registry.
        return [
            f"{repository}:{tag.partition(f'{repository}:')[2]}" for tag in tags if f"{repository}:" in tag
        ]

    async def remove_image(self, tag: str) -> None:
        """Remove an image, unless it does not exist or a container needs it."""
        await self._api.send("DELETE", f"images/{tag}", "remove the image", ignore=(404, 409))

    # -- containers

    async def create(self, name: str, config: JsonObject) -> str:
        """Create a container, and return its id."""
        async with self._api.request(
            "POST", "containers/create", "create the container", {"name": name}, body=config
        ) as response:
            return str((await read_json(response))["Id"])

    async def start(self, container_id: str) -> None:
        """Start a container."""
        await self._api.send("POST", f"containers/{container_id}/start", "start the container")

    async def stop(self, container_id: str) -> None:
        """Stop a container, which may have stopped before."""
        query = {"t": str(_GRACE)}
        await self._api.send("POST", f"containers/{container_id}/stop", "stop the container", query)

    async def remove(self, container_id: str) -> None:
        """Kill and remove a container, which may be gone."""
        query = {"force": "1", "v": "1"}
        await self._api.send(
            "DELETE", f"containers/{container_id}", "remove the container", query, ignore=(404,)
        )

    async def inspect(self, container_id: str) -> JsonObject | None:
        """Return the engine's details of a container, or None if it does not exist."""
        try:
            path = f"containers/{container_id}/json"
            async with self._api.request("GET", path, "inspect the container") as response:
                return cast("JsonObject", await read_json(response))
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def containers(self, label: str) -> dict[str, JsonObject]:
        """Return all containers with the label `name=value` by their ids, ended ones too."""
        query = {"all": "1", "filters": json.dumps({"label": [label]})}
        async with self._api.request("GET", "containers/json", "list containers", query) as response:
            found = cast("list[JsonObject]", await read_json(response))
            return {container["Id"]: container for container in found}

    async def log_tail(self, container_id: str, secrets: Iterable[str]) -> str:
        """Return the end of a container's output in one line, with `secrets` masked."""
        path, query = f"containers/{container_id}/logs", {"stdout": "1", "stderr": "1", "tail": "10"}
        async with self._api.request("GET", path, "read the container's log", query) as response:
            printed = b"".join(_frames(await response.read()))
        return hide(printed.decode(errors="replace"), secrets)[-MAX_MESSAGE:]


def _frames(log: bytes) -> Iterator[bytes]:
    """Yield the output without the eight bytes before each frame, which hold its stream and length."""
    while len(log) > 8:
        end = 8 + int.from_bytes(log[4:8])
        yield log[8:end]
        log = log[end:]
