"""Send requests to a Docker-compatible engine over its socket, and map its failures to ours."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import IO, Any, cast

import aiohttp

from ..errors import ApiError
from ..ray.client import JsonObject
from ..redaction import hide

__all__ = ["MAX_MESSAGE", "EngineApi", "EngineError", "EngineUnreachableError", "read_json"]

_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)

# Pulls and builds have no limit in time.
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)

# Bytes of one line of a build's output, which is JSON with the output of a command in it.
_MAX_LINE = 1 << 20

MAX_MESSAGE = 600  # characters of the engine's messages that are passed on


class EngineUnreachableError(ApiError):
    """503: no engine answers at the socket."""


class EngineError(ApiError):
    """The engine refused: its 400, 404 or 409 are kept, any other status becomes 500."""

    def __init__(self, action: str, status: int, message: str) -> None:
        reason = hide(message, ())[:MAX_MESSAGE] or "no reason given"
        super().__init__(status if status in (400, 404, 409) else 500, f"Docker can't {action}: {reason}")


class EngineApi:
    """The HTTP connection to one engine. Create it inside a running event loop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._version = ""
        self._session = aiohttp.ClientSession(
            base_url="http://engine/",
            # One request for each connection: one that the engine has closed would look broken.
            connector=aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0, force_close=True),
            timeout=_TIMEOUT,
            read_bufsize=_MAX_LINE,
        )

    async def close(self) -> None:
        await self._session.close()

    async def ping(self) -> None:
        """Raise EngineUnreachableError unless an engine answers."""
        # After a restart the engine may have another version.
        self._version = ""
        await self.send("GET", "version", "report its version")

    async def output(
        self, path: str, action: str, query: Mapping[str, str], file: IO[bytes] | None = None
    ) -> AsyncGenerator[str, None]:
        """Yield the output of a long operation; raise EngineError if the engine reports a failure."""
        async with self.request("POST", path, action, query, file=file, timeout=_NO_TIMEOUT) as response:
            async for line in response.content:
                event = cast("JsonObject", json.loads(line))
                if "error" in event or "errorDetail" in event:
                    detail = cast("JsonObject", event.get("errorDetail") or {})
                    raise EngineError(action, 500, str(detail.get("message") or event.get("error")))
                yield str(event.get("stream", ""))

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        action: str,
        query: Mapping[str, str] | None = None,
        *,
        body: JsonObject | None = None,
        file: IO[bytes] | None = None,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Send a request; `action` completes the sentence "Docker can't …" in errors."""
        changes = method != "GET"
        try:
            if not self._version:
                async with self._session.get("version") as response:
                    self._version = str((await read_json(response))["ApiVersion"])
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
                    raise EngineError(action, response.status, await _message(response))
                yield response
        except TimeoutError:
            detail = f"Docker at {self.url} did not {action} in time"
            # 503 would mean that nothing was done.
            raise ApiError(500 if changes else 503, detail) from None
        except aiohttp.ClientConnectorError:
            raise EngineUnreachableError(503, f"Docker is unreachable at {self.url}") from None
        except (aiohttp.ClientError, OSError):
            detail = f"the connection to Docker at {self.url} broke"
            if changes:
                raise ApiError(500, f"{detail}; it may {action} all the same") from None
            raise ApiError(503, detail) from None
        # Responses are decoded without checks of their types, here and in the callers.
        except (AttributeError, KeyError, TypeError, ValueError):
            raise EngineUnreachableError(503, f"the server at {self.url} is not a Docker engine") from None

    async def send(
        self,
        method: str,
        path: str,
        action: str,
        query: Mapping[str, str] | None = None,
        *,
        ignore: tuple[int, ...] = (),
    ) -> None:
        """Send a request whose response has no content of interest; accept the statuses `ignore` too."""
        try:
            async with self.request(method, path, action, query):
                pass
        except EngineError as error:
            if error.status not in ignore:
                raise


async def read_json(response: aiohttp.ClientResponse) -> Any:
    """Return the decoded body. Call it inside `request`, which maps invalid JSON to an error."""
    return json.loads(await response.read())


async def _message(response: aiohttp.ClientResponse) -> str:
    """Return the engine's message for an error status."""
    text = await response.text(errors="replace")
    if response.content_type == "application/json":
        return str(json.loads(text)["message"])
    return text
