"""The containers of this agent: listed, looked at, started, stopped, removed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from ..errors import ApiError
from ..ray.client import JsonObject, child
from .builds import ContainerBuilds
from .context import ContainerContext
from .network import endpoint_url, listed_port, published_port
from .store import BuildRow, ContainerRow
from .views import container_shape

__all__ = ["Containers"]


class Containers:
    def __init__(self, context: ContainerContext, builds: ContainerBuilds) -> None:
        self.builds = builds
        self._context = context
        self._watchers: dict[int, asyncio.Task[None]] = {}
        self._reconciled = False

    async def open(self) -> None:
        """Take up what an agent before us left. Works without the engine, which is asked when it is there."""
        self._context.owner = await self._context.store.owner()
        await self._context.store.abandon_all("the agent ended while the build was under way")
        await self.builds.open()

    async def close(self) -> None:
        """Cancel the builds; the containers go on. Calling it twice is fine."""
        await self.builds.close()
        for container_id in list(self._watchers):
            await self._unwatch(container_id)
        await self._context.close()

    async def reconcile(self) -> None:
        """Compare what we remember with what the engine has: once, and after a build left something."""
        async with self._context.lock("reconcile"):
            if self._reconciled and not self.builds.left_something:
                return
            self.builds.left_something = False
            self._reconciled = False
            store, engine = self._context.store, self._context.engine
            known = {row.docker_id for row in await store.all()}
            for docker_id, container in (await engine.containers(self._context.label)).items():
                build_id = child(container, "Labels").get("synapse.build")
                if docker_id not in known and build_id not in self.builds:
                    await engine.remove(docker_id)
            self._reconciled = True
            with suppress(ApiError):  # they are in nobody's way
                for tag in await engine.tags(self._context.repository):
                    await self._context.discard(tag)

    async def build(self, build_id: str) -> BuildRow:
        row = await self._context.store.build(build_id)
        if row is None:
            raise ApiError(404, f"there is no build {build_id}")
        return row

    # -- looking

    async def page(self, offset: int, limit: int) -> tuple[int, list[JsonObject]]:
        """How many there are, and those of one page, the oldest first."""
        await self.reconcile()
        rows = await self._context.store.page(offset, limit)
        found = await self._context.engine.containers(self._context.label)
        return await self._context.store.count(), [self._listed(row, found) for row in rows]

    async def docker_containers(self) -> list[JsonObject]:
        """Those that the engine has."""
        await self.reconcile()
        found = await self._context.engine.containers(self._context.label)
        return [self._listed(row, found) for row in await self._context.store.all() if row.docker_id in found]

    async def get(self, container_id: int) -> JsonObject:
        await self.reconcile()
        return await self._view(await self._row(container_id))

    async def resolve(self, docker_id: str) -> int:
        """Our id for a container's id in Docker, whole or its beginning."""
        rows = await self._context.store.by_docker_id(docker_id)
        if len(rows) > 1:
            raise ApiError(400, f"container_id: {docker_id} is the beginning of {len(rows)} ids")
        if not rows or await self._context.engine.inspect(rows[0].docker_id or "") is None:
            raise ApiError(404, f"there is no container {docker_id} of this agent in Docker")
        return rows[0].id

    def _listed(self, row: ContainerRow, found: Mapping[str, JsonObject]) -> JsonObject:
        summary = found.get(row.docker_id or "")
        if summary is None:
            return container_shape(row, None, None)
        state = str(summary.get("State", "")).lower()
        return self._current(row, state, row.port or listed_port(summary))

    async def _view(self, row: ContainerRow) -> JsonObject:
        details = await self._context.engine.inspect(row.docker_id) if row.docker_id else None
        if details is None:
            return container_shape(row, None, None)
        state = str(child(details, "State").get("Status", "")).lower()
        return self._current(row, state, row.port or published_port(details))

    def _current(self, row: ContainerRow, state: str, port: int | None) -> JsonObject:
        """The container as it is; where it did not answer yet, we begin to look."""
        endpoint = row.endpoint
        # The engine gives another port when somebody starts the container anew.
        if state != "running" or port is None or endpoint != endpoint_url(self._context.settings.host, port):
            endpoint = None
        if state == "running" and endpoint is None and row.status != "building":
            self._watch(row)
        return container_shape(row, state, endpoint)

    # -- changing

    async def start(self, container_id: int) -> JsonObject:
        async with self._context.lock(f"container {container_id}"):
            row, running = await self._there(container_id)
            if not running:
                await self._context.engine.start(_docker_id(row))
                await self._context.store.change(container_id, endpoint=None)
            await self._context.store.change(container_id, status="running")
            return await self._view(await self._row(container_id))

    async def stop(self, container_id: int) -> JsonObject:
        async with self._context.lock(f"container {container_id}"):
            row, running = await self._there(container_id)
            await self._unwatch(container_id)
            if running:
                await self._context.engine.stop(_docker_id(row))
            await self._context.store.change(container_id, status="stopped", endpoint=None)
            return await self._view(await self._row(container_id))

    async def delete(self, container_id: int) -> None:
        """Stop and remove; a build that is under way is cancelled."""
        row = await self._row(container_id)
        await self.reconcile()
        await self.builds.cancel(row.build_id, "its container was deleted")
        async with self._context.lock(f"container {container_id}"):
            left = await self._context.store.get(container_id)
            if left is None:
                return
            await self._unwatch(container_id)
            if left.docker_id is not None:
                details = await self._context.engine.inspect(left.docker_id)
                if details is not None and child(details, "State").get("Running"):
                    await self._context.engine.stop(left.docker_id)
                await self._context.engine.remove(left.docker_id)
            await self._context.store.remove(container_id)
            if left.image is not None:
                with suppress(ApiError):  # it is in nobody's way
                    await self._context.discard(left.image)

    async def _row(self, container_id: int) -> ContainerRow:
        row = await self._context.store.get(container_id)
        if row is None:
            raise ApiError(404, f"there is no container {container_id}")
        return row

    async def _there(self, container_id: int) -> tuple[ContainerRow, bool]:
        """The container that is built, and whether it runs; 409 if it can't be started or stopped."""
        row = await self._row(container_id)
        if row.status == "building":
            raise ApiError(409, f"container {container_id} is being built")
        details = await self._context.engine.inspect(_docker_id(row))
        if details is None:
            raise ApiError(409, f"container {container_id} was removed from Docker by somebody else")
        return row, bool(child(details, "State").get("Running"))

    def _watch(self, row: ContainerRow) -> None:
        """Note the endpoint once the container answers."""
        if row.id in self._watchers:
            return

        async def watch() -> None:
            try:
                with suppress(ApiError):  # its status tells
                    url = await self._context.until_it_answers(_docker_id(row), row.port)
                    await self._context.store.change(row.id, endpoint=url)
            finally:
                del self._watchers[row.id]

        self._watchers[row.id] = asyncio.create_task(watch())

    async def _unwatch(self, container_id: int) -> None:
        task = self._watchers.get(container_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


def _docker_id(row: ContainerRow) -> str:
    assert row.docker_id is not None
    return row.docker_id
