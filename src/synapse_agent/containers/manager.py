"""Manage the containers of this agent: list, get, start, stop, delete."""

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
    """The containers of this agent and their builds."""

    def __init__(self, context: ContainerContext, builds: ContainerBuilds) -> None:
        self.builds = builds
        self._context = context
        self._watchers: dict[int, asyncio.Task[None]] = {}
        self._reconciled = False

    async def open(self) -> None:
        """Load the owner id and fail the builds of an earlier agent. Needs no engine."""
        self._context.owner = await self._context.store.owner()
        await self._context.store.abandon_all("the agent ended while the build was under way")
        await self.builds.open()

    async def close(self) -> None:
        """Cancel the builds; containers keep running. May be called twice."""
        await self.builds.close()
        for container_id in list(self._watchers):
            await self._unwatch(container_id)
        await self._context.close()

    async def reconcile(self) -> None:
        """Remove what the engine has and we don't know: once, and after a build left something."""
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
            with suppress(ApiError):  # a left image only takes space
                for tag in await engine.tags(self._context.repository):
                    await self._context.discard(tag)

    async def build(self, build_id: str) -> BuildRow:
        """Return a build; 404 if there is none."""
        row = await self._context.store.build(build_id)
        if row is None:
            raise ApiError(404, f"there is no build {build_id}")
        return row

    # -- reading

    async def page(self, offset: int, limit: int) -> tuple[int, list[JsonObject]]:
        """Return the number of containers, and one page of them, oldest first."""
        await self.reconcile()
        rows = await self._context.store.page(offset, limit)
        found = await self._context.engine.containers(self._context.label)
        return await self._context.store.count(), [self._listed(row, found) for row in rows]

    async def docker_containers(self) -> list[JsonObject]:
        """Return the containers that exist in the engine."""
        await self.reconcile()
        found = await self._context.engine.containers(self._context.label)
        return [self._listed(row, found) for row in await self._context.store.all() if row.docker_id in found]

    async def get(self, container_id: int) -> JsonObject:
        """Return a container; 404 if there is none."""
        await self.reconcile()
        return await self._view(await self._row(container_id))

    async def resolve(self, docker_id: str) -> int:
        """Return our id for a container's id in Docker or an unambiguous prefix of it."""
        rows = await self._context.store.by_docker_id(docker_id)
        if len(rows) > 1:
            raise ApiError(400, f"container_id: {docker_id} is a prefix of {len(rows)} ids; give more of it")
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
        """Return the container as it is now, and watch it if it has not answered yet."""
        endpoint = row.endpoint
        # A restart of the container can change the published port.
        if state != "running" or port is None or endpoint != endpoint_url(self._context.settings.host, port):
            endpoint = None
        if state == "running" and endpoint is None and row.status != "building":
            self._watch(row)
        return container_shape(row, state, endpoint)

    # -- changing

    async def start(self, container_id: int) -> JsonObject:
        """Start a container, unless it runs."""
        async with self._context.lock(f"container {container_id}"):
            row, running = await self._existing(container_id)
            if not running:
                await self._context.engine.start(_docker_id(row))
                await self._context.store.change(container_id, endpoint=None)
            await self._context.store.change(container_id, status="running")
            return await self._view(await self._row(container_id))

    async def stop(self, container_id: int) -> JsonObject:
        """Stop a container, unless it is stopped."""
        async with self._context.lock(f"container {container_id}"):
            row, running = await self._existing(container_id)
            await self._unwatch(container_id)
            if running:
                await self._context.engine.stop(_docker_id(row))
            await self._context.store.change(container_id, status="stopped", endpoint=None)
            return await self._view(await self._row(container_id))

    async def delete(self, container_id: int) -> None:
        """Stop and remove a container; cancel its build if it has not ended."""
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
                with suppress(ApiError):  # a left image only takes space
                    await self._context.discard(left.image)

    async def _row(self, container_id: int) -> ContainerRow:
        row = await self._context.store.get(container_id)
        if row is None:
            raise ApiError(404, f"there is no container {container_id}")
        return row

    async def _existing(self, container_id: int) -> tuple[ContainerRow, bool]:
        """Return the container and whether it runs; 409 if it is being built or gone from the engine."""
        row = await self._row(container_id)
        if row.status == "building":
            raise ApiError(409, f"container {container_id} is being built")
        details = await self._context.engine.inspect(_docker_id(row))
        if details is None:
            raise ApiError(409, f"container {container_id} was removed from Docker by another program")
        return row, bool(child(details, "State").get("Running"))

    def _watch(self, row: ContainerRow) -> None:
        """Store the endpoint once the container answers."""
        if row.id in self._watchers:
            return

        async def watch() -> None:
            try:
                with suppress(ApiError):  # the container's status shows the failure
                    url = await self._context.wait_for_answer(_docker_id(row), row.port)
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
