"""The HTTP API of a Docker-compatible engine over its socket, with its failures turned into ours."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import aiohttp

from ..errors import ApiError
from ..ray.client import JsonObject
from ..redaction import hide

__all__ = ["Engine", "EngineError", "EngineUnreachableError", "Image"]

_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)

# Pulling and building take as long as they take.
_PATIENT = aiohttp.ClientTimeout(total=None, sock_connect=5)

# Bytes of one line of a build's output; an engine puts what a command prints into JSON.
_LINE = 1 << 20

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
        self._version = ""
        self._session = aiohttp.ClientSession(
            base_url="http://engine/",
            # No connection is used twice: one that the engine has closed would look broken.
            connector=aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0, force_close=True),
            timeout=_TIMEOUT,
            read_bufsize=_LINE,
        )

    async def close(self) -> None:
        await self._session.close()

    async def ping(self) -> None:
        """Raises EngineUnreachableError unless an engine answers."""
        # Behind a restart of the engine there may be another version.
        self._version = ""
        async with self._requested("GET", "version", "tell its version"):
            pass

    # -- images

    async def base(self, image: str) -> Image:
        """An image, which is pulled where the engine does not have it."""
        found = await self.image(image)
        if found is None:
            query = {"fromImage": image}
            # Without a tag the engine would pull all of them.
            if not {":", "@"} & set(image.rpartition("/")[2]):
                query["tag"] = "latest"
            async for _ in self._output("images/create", f"pull the base image {image}", query):
                pass
            found = await self.image(image)
        if found is None:
            raise EngineError(f"find the image {image}", 404, "it is not there after the pull")
        return found

    async def image(self, name: str) -> Image | None:
        """What the engine knows of an image; None if it has none of that name."""
        try:
            async with self._requested("GET", f"images/{name}/json", f"find the image {name}") as response:
                found = await _json(response)
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
                query = {"t": tag, "rm": "1", "forcerm": "1"}
                async for output in self._output("build", doing, query, file):
                    said.append(output)
        except EngineError as error:
            # The reason is in the output of the step that failed, not in the error.
            output = hide(" ".join(said), ())[-_TOLD:]
            raise ApiError(error.status, f"{error.detail}; the last of its output: {output}") from None
        if await self.image(tag) is None:
            raise EngineError(doing, 500, "its answer broke off")

    async def tags(self, repository: str) -> list[str]:
        """The tags of a repository, each with its name."""
        async with self._requested("GET", "images/json", "list images") as response:
            found = cast("list[JsonObject]", await _json(response))
            tags = [str(tag) for image in found for tag in image.get("RepoTags") or ()]
        # Podman puts a registry before it.
        return [
            f"{repository}:{tag.partition(f'{repository}:')[2]}" for tag in tags if f"{repository}:" in tag
        ]

    async def remove_image(self, tag: str) -> None:
        """Remove an image, unless there is none or a container needs it."""
        try:
            async with self._requested("DELETE", f"images/{tag}", "remove the image"):
                pass
        except EngineError as error:
            if error.status not in (404, 409):
                raise

    # -- containers

    async def create(self, name: str, config: JsonObject) -> str:
        async with self._requested(
            "POST", "containers/create", "create the container", {"name": name}, body=config
        ) as response:
            return str((await _json(response))["Id"])

    async def start(self, container_id: str) -> None:
        async with self._requested("POST", f"containers/{container_id}/start", "start the container"):
            pass

    async def stop(self, container_id: str) -> None:
        """Stop a container; fine if it is stopped already."""
        path, query = f"containers/{container_id}/stop", {"t": str(_GRACE)}
        async with self._requested("POST", path, "stop the container", query):
            pass

    async def remove(self, container_id: str) -> None:
        """Kill and remove a container; fine if there is none."""
        path, query = f"containers/{container_id}", {"force": "1", "v": "1"}
        try:
            async with self._requested("DELETE", path, "remove the container", query):
                pass
        except EngineError as error:
            if error.status != 404:
                raise

    async def inspect(self, container_id: str) -> JsonObject | None:
        """What the engine knows of a container; None if there is none."""
        try:
            path = f"containers/{container_id}/json"
            async with self._requested("GET", path, "inspect the container") as response:
                return cast("JsonObject", await _json(response))
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    async def containers(self, label: str) -> dict[str, JsonObject]:
        """All containers with `label`, which is `name=value`, by their ids; ended ones too."""
        query = {"all": "1", "filters": json.dumps({"label": [label]})}
        async with self._requested("GET", "containers/json", "list containers", query) as response:
            found = cast("list[JsonObject]", await _json(response))
            return {container["Id"]: container for container in found}

    async def last_words(self, container_id: str, secrets: Iterable[str]) -> str:
        """The end of what a container printed, in one line and without `secrets`."""
        path, query = f"containers/{container_id}/logs", {"stdout": "1", "stderr": "1", "tail": "10"}
        async with self._requested("GET", path, "read the container's log", query) as response:
            printed = b"".join(_frames(await response.read()))
        return hide(printed.decode(errors="replace"), secrets)[-_TOLD:]

    # -- requests

    async def _output(
        self, path: str, doing: str, query: Mapping[str, str], file: IO[bytes] | None = None
    ) -> AsyncGenerator[str, None]:
        """Yield the output of what takes its time; raise EngineError where the engine reports a failure."""
        async with self._requested("POST", path, doing, query, file=file, timeout=_PATIENT) as response:
            async for line in response.content:
                event = cast("JsonObject", json.loads(line))
                if "error" in event or "errorDetail" in event:
                    detail = cast("JsonObject", event.get("errorDetail") or {})
                    raise EngineError(doing, 500, str(detail.get("message") or event.get("error")))
                yield str(event.get("stream", ""))

    @asynccontextmanager
    async def _requested(
        self,
        method: str,
        path: str,
        doing: str,
        query: Mapping[str, str] | None = None,
        *,
        body: JsonObject | None = None,
        file: IO[bytes] | None = None,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        changes = method != "GET"
        try:
            if not self._version:
                async with self._session.get("version") as response:
                    self._version = str((await _json(response))["ApiVersion"])
            async with self._session.request(
                method,
                f"v{self._version}/{path}",
                params=query,
                json=body,
                data=file,
                headers={"Content-Type": "application/x-tar"} if file else None,
                timeout=timeout,
            ) as response:
                if response.status >= 400:
                    raise EngineError(doing, response.status, await _message(response))
                yield response
        except TimeoutError:
            why = f"Docker at {self.url} did not {doing} in time"
            # A 503 says that nothing was done.
            raise ApiError(500 if changes else 503, why) from None
        except aiohttp.ClientConnectorError:
            raise EngineUnreachableError(503, f"Docker is unreachable at {self.url}") from None
        except (aiohttp.ClientError, OSError):
            why = f"the connection to Docker at {self.url} broke"
            if changes:
                raise ApiError(500, f"{why}; it may {doing} all the same") from None
            raise ApiError(503, why) from None
        # Answers are decoded without a look at their types, also by who asks.
        except (AttributeError, KeyError, TypeError, ValueError):
            raise EngineUnreachableError(503, f"what answers at {self.url} is no Docker engine") from None


async def _json(response: aiohttp.ClientResponse) -> Any:
    return json.loads(await response.read())


async def _message(response: aiohttp.ClientResponse) -> str:
    """The engine's reason for an error status."""
    text = await response.text(errors="replace")
    if response.content_type == "application/json":
        return str(json.loads(text)["message"])
    return text


def _frames(log: bytes) -> Iterator[bytes]:
    """Yield what was printed, without the eight bytes before each piece that tell its stream and length."""
    while len(log) > 8:
        end = 8 + int.from_bytes(log[4:8])
        yield log[8:end]
        log = log[end:]
