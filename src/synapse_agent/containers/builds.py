"""Build containers from plugins, in the background."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import ApiError
from ..redaction import hide, is_secret
from .container_config import (
    PARAMS_IN_FILE,
    AgentAccess,
    Caller,
    container_config,
    container_environment,
)
from .context import ContainerContext
from .images import command_label, command_of, container_defaults, write_context
from .network import free_port
from .requests import ContainerRequest
from .sources import Plugin, PluginSource
from .views import container_shape, shown_request

__all__ = ["ContainerBuilds"]

_log = logging.getLogger("synapse_agent")

# Builds that run at the same time, and builds that may wait for their turn.
_CONCURRENT = 2
_MAX_WAITING = 16

# Seconds for removing what a failed build left in the engine.
_CLEANUP_TIMEOUT = 20.0


@dataclass(slots=True)
class _Build:
    """A build that has not ended."""

    container_id: int
    id: str
    request: ContainerRequest
    caller: Caller
    source: PluginSource
    directory: Path
    secrets: frozenset[str]
    task: asyncio.Task[None] | None = None
    cancel_reason: str = ""
    image: str | None = None


class ContainerBuilds:
    """The builds that are pending or running."""

    def __init__(self, context: ContainerContext, directory: Path, agent: AgentAccess) -> None:
        self._context = context
        # Files of builds; uploads are stored below it too, so that moving them is a rename.
        self.directory = directory
        self._agent = agent
        self._slots = asyncio.Semaphore(_CONCURRENT)
        self._builds: dict[str, _Build] = {}
        # Whether a failed build left something in the engine that could not be removed.
        self.left_something = False

    async def open(self) -> None:
        """Remove the files of earlier builds."""
        await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.mkdir(mode=0o700, parents=True)

    async def close(self) -> None:
        """Cancel all builds."""
        await asyncio.gather(*(self.cancel(build_id, "the agent stopped") for build_id in list(self._builds)))

    def __contains__(self, build_id: object) -> bool:
        """Return whether the build is pending or running."""
        return build_id in self._builds

    async def cancel(self, build_id: str, reason: str) -> None:
        """Cancel a build and wait for its end; do nothing if it has ended."""
        build = self._builds.get(build_id)
        if build is not None and build.task is not None:
            build.cancel_reason = reason
            build.task.cancel()
            await asyncio.wait([build.task])

    async def create(self, request: ContainerRequest, source: PluginSource, caller: Caller) -> str:
        """Start to build a container, and return the id of the build."""
        await self._context.engine.ping()
        if len(self._builds) >= _CONCURRENT + _MAX_WAITING:
            raise ApiError(
                429, f"{len(self._builds)} builds are pending; try again later", headers={"Retry-After": "10"}
            )
        request = replace(request, plugin_release=source.release)
        build_id = f"build-{secrets.token_hex(6)}"
        directory = self.directory / build_id
        hidden = frozenset(
            {self._agent.token, caller.user_token, caller.tenant}
            | {value for name, value in request.envs.items() if is_secret(name)}
        )
        try:
            directory.mkdir(mode=0o700)
            fingerprint = _fingerprint(request, source.checksum)
            container_id = await self._context.store.add(
                build_id, shown_request(request, hidden), fingerprint
            )
            source.keep(directory)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        build = _Build(container_id, build_id, request, caller, source, directory, hidden)
        self._builds[build_id] = build
        build.task = asyncio.create_task(self._run(build), name=build_id)
        await asyncio.sleep(0)  # a task that is cancelled before it starts would not clean up
        return build_id

    async def _run(self, build: _Build) -> None:
        try:
            async with self._slots:
                await self._context.store.begin(build.id)
                endpoint = await self._make(build)
            row = await self._context.store.get(build.container_id)
            assert row is not None
            running = container_shape(replace(row, status="running"), "running", endpoint)
            await self._context.store.complete(build.container_id, build.id, endpoint, running)
        except asyncio.CancelledError:
            await self._abandon(build, "cancelled", build.cancel_reason)
        except ApiError as error:
            await self._abandon(build, "failed", hide(error.detail, build.secrets))
        except Exception:  # noqa: BLE001  without a final status clients would wait for ever
            _log.exception("%s failed", build.id)
            await self._abandon(build, "failed", "internal error; see the agent's log")
        finally:
            del self._builds[build.id]
            await asyncio.to_thread(shutil.rmtree, build.directory, ignore_errors=True)

    async def _make(self, build: _Build) -> str:
        """Build the image, start the container, and return its URL once it answers."""
        context = self._context
        plugin = await build.source.load()
        base = await context.engine.base(context.settings.base)
        command = self._command(build, plugin, command_of(base.labels, build.request.kind))
        params = json.dumps(build.request.params)
        archive = build.directory / "context.tar"
        digest = await asyncio.to_thread(
            write_context,
            archive,
            plugin.files,
            base=context.settings.base,
            command=command,
            params=params if len(params) >= PARAMS_IN_FILE else None,
        )
        build.image = f"{context.repository}:{hashlib.sha256((digest + base.id).encode()).hexdigest()[:32]}"
        async with context.lock(build.image):
            if await context.engine.image(build.image) is None:
                await context.engine.build(build.image, archive)
            await context.store.change(build.container_id, image=build.image)
            port = await self._port(build.container_id)
            environment = container_environment(
                build.container_id,
                build.request,
                plugin,
                params,
                checksum=build.source.checksum,
                agent=self._agent,
                caller=build.caller,
            )
            labels = build.request.labels | {
                "synapse.agent": context.owner,
                "synapse.build": build.id,
                "synapse.plugin-release": build.source.release,
            }
            config = container_config(context.settings, build.image, environment, labels, port)
            name = f"synapse-{context.owner}-{build.container_id}"
            docker_id = await context.engine.create(name, container_defaults(command) | config)
            await context.store.change(build.container_id, docker_id=docker_id)
        await context.engine.start(docker_id)
        return await context.wait_for_answer(docker_id, port, build.secrets)

    def _command(self, build: _Build, plugin: Plugin, command: list[str] | None) -> list[str] | None:
        """Return the base image's command; None to run the plugin; 400 if there is neither."""
        kind = build.request.kind
        if command is None and (kind == "code_server" or not plugin.entrypoint):
            lack = f"the base image {self._context.settings.base} has no label {command_label(kind)}"
            if kind == "plugin_runtime":
                lack = f"the plugin has no restapi or serve action with an entrypoint, and {lack}"
            raise ApiError(400, lack)
        return command

    async def _port(self, container_id: int) -> int | None:
        """Reserve a port of this machine, if containers share its network; else None."""
        if self._context.settings.network != "host":
            return None
        async with self._context.lock("port"):
            # Stopped containers keep their ports, for when they are started again.
            taken = {row.port for row in await self._context.store.all() if row.port is not None}
            port = free_port(self._context.settings.bind, taken)
            await self._context.store.change(container_id, port=port)
        return port

    async def _abandon(self, build: _Build, status: str, error: str) -> None:
        """Remove what the build made, then store how it ended."""
        context = self._context
        try:
            async with asyncio.timeout(_CLEANUP_TIMEOUT):
                for docker_id in await context.engine.containers(f"synapse.build={build.id}"):
                    await context.engine.remove(docker_id)
        except (ApiError, TimeoutError):
            self.left_something = True
        await context.store.remove(build.container_id)
        if build.image is not None:
            with suppress(ApiError, TimeoutError):
                async with asyncio.timeout(_CLEANUP_TIMEOUT):
                    await context.discard(build.image)
        await context.store.abandon(build.id, status, error)


def _fingerprint(request: ContainerRequest, checksum: str) -> str:
    """Return the identity of a container: the backend's id for it, or else everything requested."""
    if request.backend_container_id is not None:
        return f"backend {json.dumps(request.backend_container_id)}"
    text = json.dumps([asdict(request), checksum], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
