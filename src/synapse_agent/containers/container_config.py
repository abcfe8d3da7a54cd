"""The engine's configuration of a container: its environment, port, limits and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..plugins.packages import PARAMS_FILE
from ..ray.client import JsonObject
from .context import ContainerSettings
from .network import INNER_PORT
from .requests import ContainerRequest
from .sources import Plugin

__all__ = ["PARAMS_IN_FILE", "AgentAccess", "Caller", "container_config", "container_environment"]

# Longer parameters go into a file, since an environment variable is limited to 128 KiB.
PARAMS_IN_FILE = 32_000


@dataclass(frozen=True, slots=True)
class AgentAccess:
    """The URL and the token by which programs in a container reach this agent."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The user and tenant for whom the programs in a container act."""

    user_token: str
    tenant: str


def container_environment(
    container_id: int,
    request: ContainerRequest,
    plugin: Plugin,
    params: str,
    *,
    checksum: str,
    agent: AgentAccess,
    caller: Caller,
) -> dict[str, str]:
    """Return the variables of a container; those of the request replace ours."""
    environment = {
        "PYTHONUNBUFFERED": "1",
        "SYNAPSE_CONTAINER_ID": str(container_id),
        "SYNAPSE_AGENT_URL": agent.url,
        "SYNAPSE_AGENT_TOKEN": agent.token,
        "SYNAPSE_PLUGIN_RELEASE_CODE": plugin.release,
        "SYNAPSE_PLUGIN_RELEASE_CHECKSUM": checksum,
    }
    if len(params) >= PARAMS_IN_FILE:
        environment["SYNAPSE_ACTION_PARAMS_FILE"] = PARAMS_FILE
    else:
        environment["SYNAPSE_ACTION_PARAMS"] = params
    if plugin.entrypoint:
        environment["SYNAPSE_ACTION_ENTRYPOINT"] = plugin.entrypoint
    if request.model is not None:
        environment["SYNAPSE_MODEL"] = str(request.model)
    if caller.user_token:
        environment["SYNAPSE_PLUGIN_RUN_USER_TOKEN"] = caller.user_token
    if caller.tenant:
        environment["SYNAPSE_PLUGIN_RUN_TENANT"] = caller.tenant
    return environment | request.envs


def container_config(
    settings: ContainerSettings,
    image: str,
    environment: Mapping[str, str],
    labels: Mapping[str, str],
    port: int | None,
) -> JsonObject:
    """Return the body of the engine's `containers/create`.

    Args:
        settings: The agent's settings of containers.
        image: The image to start.
        environment: The variables, without HOST and PORT, which this function adds.
        labels: All labels.
        port: The port on this machine, if the container shares its network; else None, and the
            engine publishes a free one.
    """
    host: JsonObject = {"NetworkMode": settings.network}
    config: JsonObject = {"Image": image, "HostConfig": host, "Labels": dict(labels)}
    if settings.ulimits:
        host["Ulimits"] = list(settings.ulimits)
    if port is None:
        inner = f"{INNER_PORT}/tcp"
        config["ExposedPorts"] = {inner: {}}
        # With an empty port the engine takes a free one.
        host["PortBindings"] = {inner: [{"HostIp": settings.bind, "HostPort": ""}]}
        address = {"HOST": "0.0.0.0", "PORT": str(INNER_PORT)}
    else:
        address = {"HOST": settings.bind, "PORT": str(port)}
    config["Env"] = [f"{name}={value}" for name, value in (dict(environment) | address).items()]
    return config
