"""A client of the HTTP API of Ray's dashboard, which turns its failures into `ApiError`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
from yarl import URL

from ..errors import ApiError

__all__ = ["TERMINAL", "JsonObject", "NotRayError", "RayClient", "RayUnreachableError", "child"]

JsonObject = dict[str, Any]
_Query = Mapping[str, str] | Sequence[tuple[str, str]]

TERMINAL = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})

_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=10)


class RayUnreachableError(ApiError):
    """503. `maybe_sent` is whether the request may have had an effect."""

    def __init__(self, detail: str, *, maybe_sent: bool) -> None:
        super().__init__(503, detail)
        self.maybe_sent = maybe_sent


class NotRayError(ApiError):
    """503: the server that answers is not a Ray dashboard."""

    def __init__(self, address: str) -> None:
        super().__init__(503, f"the server at {address} is not a Ray dashboard")


class RayClient:
    """Sends requests to one dashboard, each with the token, which appears in no message."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = URL(url)
        self.address = str(self.url.with_user(None)).rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # The dashboard may be served below a path.
        self._base = self.url.with_path(self.url.raw_path.rstrip("/") + "/", encoded=True)
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=_TIMEOUT,
            # Copies of large logs hold connections, and other requests must not wait for them.
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def close(self) -> None:
        await self._session.close()

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: _Query | None = None,
        body: object = None,
        data: bytes | None = None,
        stream: bool = False,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        try:
            async with self._session.request(
                method,
                self._base.join(URL(path)),
                params=query,
                json=body,
                data=data,
                timeout=_STREAM_TIMEOUT if stream else _TIMEOUT,
            ) as response:
                yield response
        except aiohttp.ClientConnectorError:
            raise RayUnreachableError(f"Ray is unreachable at {self.address}", maybe_sent=False) from None
        except TimeoutError:
            raise RayUnreachableError(
                f"Ray at {self.address} did not answer in time", maybe_sent=True
            ) from None
        except aiohttp.ClientError:
            raise RayUnreachableError(
                f"the connection to Ray at {self.address} broke", maybe_sent=True
            ) from None

    async def get(self, path: str, query: _Query | None = None) -> object:
        """Return a JSON answer; raise 404 and 501 as they are, and 503 for any other failure."""
        async with self._request("GET", path, query=query) as response:
            return await self._decode(response)

    async def _decode(self, response: aiohttp.ClientResponse) -> object:
        text = await response.text()
        if response.status == 404:
            raise ApiError(404, text.strip()[:300])
        if response.status in (401, 403):
            raise RayUnreachableError(
                f"Ray at {self.address} refused this agent's Ray token", maybe_sent=False
            )
        if response.status == 501:
            raise ApiError.typed(501, "this Ray cluster has no support for it", "not_supported")
        if response.status >= 400:
            raise ApiError(503, f"Ray failed to answer ({response.status}): {_last_line(text)}")
        try:
            value: object = json.loads(text)
        except ValueError:
            raise NotRayError(self.address) from None
        return value

    async def _data(self, path: str, query: _Query | None = None) -> JsonObject:
        answer = await self.get(path, query)
        data: object = cast("JsonObject", answer).get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise NotRayError(self.address)
        return cast("JsonObject", data)

    async def _state(self, kind: str, filters: Mapping[str, str], limit: int) -> list[JsonObject]:
        query = [("detail", "1"), ("limit", str(limit))]
        for key, value in filters.items():
            # Ray combines the n-th key, predicate and value.
            query += [("filter_keys", key), ("filter_predicates", "="), ("filter_values", value)]
        result = child(await self._data(f"api/v0/{kind}", query), "result")
        return cast("list[JsonObject]", result.get("result") or [])

    # -- cluster

    async def version(self) -> JsonObject:
        """Return Ray's version; NotRayError if something else than a dashboard answers."""
        try:
            found = await self.get("api/version")
        except ApiError as error:
            if error.status != 404:
                raise
            found = None
        if not isinstance(found, dict) or "ray_version" not in found:
            raise NotRayError(self.address)
        return cast("JsonObject", found)

    async def nodes(self) -> list[JsonObject]:
        return await self._state("nodes", {}, 10_000)

    async def hardware(self) -> list[JsonObject]:
        """Return what each node reports of its machine: processor load, memory, GPUs."""
        return cast("list[JsonObject]", (await self._data("nodes", {"view": "summary"})).get("summary") or [])

    async def usage(self) -> JsonObject:
        """Return `{"usage": {resource: [used, total]}, "usageByNode": {node id: …}}`."""
        status = child(await self._data("api/cluster_status"), "clusterStatus")
        return child(status, "loadMetricsReport")

    async def tasks(self, filters: Mapping[str, str], *, limit: int = 10_000) -> list[JsonObject]:
        return await self._state("tasks", filters, limit)

    async def serve(self) -> JsonObject:
        """Return Serve's applications, HTTP options, proxies and controller; empty while Serve is down."""
        return cast("JsonObject", await self.get("api/serve/applications/"))

    async def applications(self) -> dict[str, JsonObject]:
        return child(await self.serve(), "applications")

    async def start_serve(self, port: int) -> None:
        """Start Ray Serve with one HTTP proxy on the head node, unless it runs already."""
        body: JsonObject = {
            "http_options": {"host": "127.0.0.1", "port": port},
            "proxy_location": "HeadOnly",
            "applications": [],
        }
        async with self._request("PUT", "api/serve/applications/", body=body) as response:
            if response.status >= 300:
                raise ApiError(503, f"Ray Serve did not start: {_last_line(await response.text())}")

    # -- jobs

    async def jobs(self) -> list[JsonObject]:
        return cast("list[JsonObject]", await self.get("api/jobs/"))

    async def job(self, job_id: str) -> JsonObject:
        try:
            return cast("JsonObject", await self.get(f"api/jobs/{job_id}"))
        except ApiError as error:
            if error.status == 404:
                raise ApiError(404, f"there is no job {job_id}") from None
            raise

    async def submit(self, request: JsonObject) -> None:
        """Submit a job; raise 409 if its id is taken, 503 only if nothing can have been submitted."""
        job_id = request["submission_id"]
        try:
            async with self._request("POST", "api/jobs/", body=request) as response:
                status, text = response.status, await response.text()
        except RayUnreachableError as error:
            if not error.maybe_sent:
                raise
            raise ApiError(
                500, f"{error.detail}; look whether there is a job {job_id} before trying again"
            ) from None
        if status < 300:
            return
        # For an id that is taken Ray answers 500 with a traceback.
        if "already exists" in text:
            raise ApiError(409, f"there is a job {job_id} already")
        if status in (401, 403):
            raise ApiError(503, f"Ray at {self.address} refused this agent's Ray token")
        raise ApiError(400 if status == 400 else 500, f"Ray did not take the job: {_last_line(text)}")

    async def stop(self, job_id: str) -> bool:
        async with self._request("POST", f"api/jobs/{job_id}/stop") as response:
            if response.status == 400:
                raise ApiError(400, f"job {job_id} was not submitted as a job, so it can't be stopped as one")
            if response.status == 404:
                raise ApiError(404, f"there is no job {job_id}")
            return bool(cast("JsonObject", await self._decode(response)).get("stopped"))

    async def delete(self, job_id: str) -> None:
        """Delete a job that is over."""
        async with self._request("DELETE", f"api/jobs/{job_id}") as response:
            if response.status == 404:
                raise ApiError(404, f"there is no job {job_id}")
            await self._decode(response)

    async def upload_package(self, name: str, content: bytes) -> str:
        """Upload a zip unless the cluster has it; return its URI for a runtime_env."""
        path = f"api/packages/gcs/{name}"
        async with self._request("GET", path) as response:
            there = response.status == 200
            await response.read()
        if not there:
            async with self._request("PUT", path, data=content) as response:
                if response.status >= 300:
                    raise ApiError(503, f"Ray did not take the package: {_last_line(await response.text())}")
        return f"gcs://{name}"

    # -- logs

    @asynccontextmanager
    async def log_file(self, query: Mapping[str, str]) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Open the answer to one request for a log file, whatever its status."""
        async with self._request("GET", "api/v0/logs/file", query=query, stream=True) as response:
            yield response

    async def has_log_file(self, node_id: str, name: str) -> bool:
        """Return whether a node has a log file of that name."""
        query = {"node_id": node_id, "glob": name}
        found = child(await self._data("api/v0/logs", query), "result")
        return any(name in names for names in found.values())

    async def wait_ready(self, deadline: float) -> bool:
        """Wait for a living head node until `deadline`, in the loop's time; return whether there is one."""
        loop = asyncio.get_running_loop()
        while loop.time() < deadline:
            try:
                if any(n.get("is_head_node") and n.get("state") == "ALIVE" for n in await self.nodes()):
                    return True
            except ApiError:
                pass  # not yet
            await asyncio.sleep(0.1)
        return False


def child(parent: JsonObject, name: str) -> JsonObject:
    """Return the object of that name, or an empty one if it is absent or null."""
    return cast("JsonObject", parent.get(name) or {})


def _last_line(text: str) -> str:
    """Return the exception at the end of a traceback, or the last line of another text."""
    lines = [line.strip() for line in text.splitlines() if line.strip() not in ("", ".")]
    return lines[-1][:300] if lines else "no reason given"
