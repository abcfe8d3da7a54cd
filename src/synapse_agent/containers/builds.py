"""Building containers, in the background, from plugins."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from ..errors import ApiError
from ..plugins.packages import PARAMS_FILE
from ..ray.client import JsonObject
from ..redaction import hide, is_secret
from .context import ContainerContext
from .images import command_label, command_of, container_defaults, write_context
from .network import INNER_PORT, free_port
from .plugins import Plugin, PluginSource
from .requests import ContainerRequest
from .views import container_shape, shown_request

__all__ = ["ContainerBuilds", "Sender"]

_log = logging.getLogger("synapse_agent")

# Builds that work at the same time, and that may wait for it besides.
_AT_ONCE = 2
_MAX_WAITING = 16

# From so many characters on, the parameters go into a file: the environment has limits.
_PARAMS_IN_FILE = 32_000

# Seconds to remove what a build leaves when it fails.
_UNDO_WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asked for a container, for the programs in it that act for them."""

    user_token: str
    tenant: str


@dataclass(slots=True)
class _Job:
    """A build that is not over."""

    id: int
    build_id: str
    request: ContainerRequest
    sender: Sender
    source: PluginSource
    directory: Path
    hidden: frozenset[str]
    task: asyncio.Task[None] | None = None
    cancelled_by: str = ""
    image: str | None = None


class ContainerBuilds:
    def __init__(
        self, context: ContainerContext, directory: Path, *, agent_url: str, agent_token: str
    ) -> None:
        self._context = context
        # Where files of builds lie, on one file system.
        self.directory = directory
        self._agent_url = agent_url
        self._agent_token = agent_token
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._jobs: dict[str, _Job] = {}
        # Whether a build left something in the engine that could not be removed.
        self.left_something = False

    async def open(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.mkdir(mode=0o700, parents=True)

    async def close(self) -> None:
        await asyncio.gather(*(self.cancel(build_id, "the agent stopped") for build_id in list(self._jobs)))

    def __contains__(self, build_id: object) -> bool:
        """Whether the build is under way."""
        return build_id in self._jobs

    async def cancel(self, build_id: str, why: str) -> None:
        """Returns when the build is over, in whatever way, and at once if it is."""
        job = self._jobs.get(build_id)
        if job is not None and job.task is not None:
            job.cancelled_by = why
            job.task.cancel()
            await asyncio.wait([job.task])

    async def create(self, request: ContainerRequest, source: PluginSource, sender: Sender) -> str:
        """Begin to build a container; the build's id."""
        await self._context.engine.ping()
        if len(self._jobs) >= _AT_ONCE + _MAX_WAITING:
            raise ApiError(429, f"{len(self._jobs)} builds are under way", headers={"Retry-After": "10"})
        request = replace(request, plugin_release=source.release)
        build_id = f"build-{secrets.token_hex(6)}"
        directory = self.directory / build_id
        hidden = frozenset(
            {self._agent_token, sender.user_token, sender.tenant}
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
        job = _Job(container_id, build_id, request, sender, source, directory, hidden)
        self._jobs[build_id] = job
        job.task = asyncio.create_task(self._run(job), name=build_id)
        await asyncio.sleep(0)  # a task that is cancelled before it begins would not clean up
        return build_id

    async def _run(self, job: _Job) -> None:
        try:
            async with self._slots:
                await self._context.store.begin(job.build_id)
                endpoint = await self._make(job)
            row = await self._context.store.get(job.id)
            assert row is not None
            built = replace(row, status="running")
            await self._context.store.complete(
                job.id, job.build_id, endpoint, container_shape(built, "running", endpoint)
            )
        except asyncio.CancelledError:
            await self._abandon(job, "cancelled", job.cancelled_by)
        except ApiError as error:
            await self._abandon(job, "failed", hide(error.detail, job.hidden))
        except Exception:  # noqa: BLE001  a build that ends without a status would be waited for for ever
            _log.exception("%s failed", job.build_id)
            await self._abandon(job, "failed", "internal error; the agent's log says more")
        finally:
            del self._jobs[job.build_id]
            await asyncio.to_thread(shutil.rmtree, job.directory, ignore_errors=True)

    async def _make(self, job: _Job) -> str:
        """From the plugin to the running container; where it answers."""
        plugin = await job.source.load()
        base = await self._context.engine.base(self._context.settings.base)
        kind = job.request.kind
        command = command_of(base.labels, kind)
        if command is None and (kind == "code_server" or not plugin.entrypoint):
            lacks = f"the base image {self._context.settings.base} has no label {command_label(kind)}"
            if kind == "plugin_runtime":
                lacks = f"the plugin has no restapi or serve action with an entrypoint, and {lacks}"
            raise ApiError(400, lacks)
        params = json.dumps(job.request.params)
        context = job.directory / "context.tar"

        def write() -> str:
            with context.open("wb") as file:
                return self._write(file, plugin, command, params)

        digest = hashlib.sha256((await asyncio.to_thread(write) + base.id).encode()).hexdigest()
        job.image = f"{self._context.repository}:{digest[:32]}"
        environment = self._environment(job, plugin, params)
        async with self._context.lock(job.image):
            if await self._context.engine.image(job.image) is None:
                await self._context.engine.build(job.image, context)
            await self._context.store.change(job.id, image=job.image)
            port = await self._port(job.id)
            name = f"synapse-{self._context.owner}-{job.id}"
            config = container_defaults(command) | self._config(job, environment, port)
            docker_id = await self._context.engine.create(name, config)
            await self._context.store.change(job.id, docker_id=docker_id)
        await self._context.engine.start(docker_id)
        return await self._context.until_it_answers(docker_id, port, job.hidden)

    def _write(self, file: IO[bytes], plugin: Plugin, command: list[str] | None, params: str) -> str:
        return write_context(
            file,
            plugin.files,
            base=self._context.settings.base,
            command=command,
            params=params if len(params) >= _PARAMS_IN_FILE else None,
        )

    def _environment(self, job: _Job, plugin: Plugin, params: str) -> dict[str, str]:
        environment = {
            "PYTHONUNBUFFERED": "1",
            "SYNAPSE_CONTAINER_ID": str(job.id),
            "SYNAPSE_AGENT_URL": self._agent_url,
            "SYNAPSE_AGENT_TOKEN": self._agent_token,
            "SYNAPSE_PLUGIN_RELEASE_CODE": plugin.release,
            "SYNAPSE_PLUGIN_RELEASE_CHECKSUM": job.source.checksum,
        }
        if len(params) >= _PARAMS_IN_FILE:
            environment["SYNAPSE_ACTION_PARAMS_FILE"] = PARAMS_FILE
        else:
            environment["SYNAPSE_ACTION_PARAMS"] = params
        if plugin.entrypoint:
            environment["SYNAPSE_ACTION_ENTRYPOINT"] = plugin.entrypoint
        if job.request.model is not None:
            environment["SYNAPSE_MODEL"] = str(job.request.model)
        if job.sender.user_token:
            environment["SYNAPSE_PLUGIN_RUN_USER_TOKEN"] = job.sender.user_token
        if job.sender.tenant:
            environment["SYNAPSE_PLUGIN_RUN_TENANT"] = job.sender.tenant
        return environment | job.request.envs

    async def _port(self, container_id: int) -> int | None:
        """The container's port on this machine, where it has to be told one."""
        if self._context.settings.network != "host":
            return None
        async with self._context.lock("port"):
            # Those of stopped containers too, which will want theirs again.
            taken = {row.port for row in await self._context.store.all() if row.port is not None}
            port = free_port(self._context.settings.bind, taken)
            await self._context.store.change(container_id, port=port)
        return port

    def _config(self, job: _Job, environment: Mapping[str, str], port: int | None) -> JsonObject:
        host: JsonObject = {"NetworkMode": self._context.settings.network}
        config: JsonObject = {"Image": job.image, "HostConfig": host}
        if self._context.settings.ulimits:
            host["Ulimits"] = list(self._context.settings.ulimits)
        if port is None:
            inner = f"{INNER_PORT}/tcp"
            config["ExposedPorts"] = {inner: {}}
            # Without a port the engine takes a free one.
            host["PortBindings"] = {inner: [{"HostIp": self._context.settings.bind, "HostPort": ""}]}
            where = {"HOST": "0.0.0.0", "PORT": str(INNER_PORT)}
        else:
            where = {"HOST": self._context.settings.bind, "PORT": str(port)}
        config["Env"] = [f"{name}={value}" for name, value in (dict(environment) | where).items()]
        ours = {
            "synapse.agent": self._context.owner,
            "synapse.build": job.build_id,
            "synapse.plugin-release": job.source.release,
        }
        config["Labels"] = job.request.labels | ours
        return config

    async def _abandon(self, job: _Job, status: str, error: str) -> None:
        """Remove what the build made so far, then say how it ended."""
        try:
            async with asyncio.timeout(_UNDO_WITHIN):
                for docker_id in await self._context.engine.containers(f"synapse.build={job.build_id}"):
                    await self._context.engine.remove(docker_id)
        except (ApiError, TimeoutError):
            self.left_something = True
        await self._context.store.remove(job.id)
        if job.image is not None:
            with suppress(ApiError, TimeoutError):
                async with asyncio.timeout(_UNDO_WITHIN):
                    await self._context.discard(job.image)
        await self._context.store.abandon(job.build_id, status, error)


def _fingerprint(request: ContainerRequest, checksum: str) -> str:
    """The same for what asks for the same container: the backend's id for it, or else everything."""
    if request.backend_container_id is not None:
        return f"backend {json.dumps(request.backend_container_id)}"
    text = json.dumps([asdict(request), checksum], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
