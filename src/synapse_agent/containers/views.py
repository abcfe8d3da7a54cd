"""How containers are shown to clients."""

from __future__ import annotations

from dataclasses import asdict, replace

from ..ray.client import JsonObject
from ..redaction import is_secret
from .requests import ContainerRequest
from .store import ContainerRow

__all__ = ["container_shape", "shown_request"]

_STATUS = {"configured": "created", "initialized": "created", "stopping": "running"}  # Podman's


def shown_request(request: ContainerRequest, hidden: frozenset[str]) -> JsonObject:
    """What may be told of it, and is all of it that we keep."""
    envs = {
        name: "***" if is_secret(name) or value in hidden else value for name, value in request.envs.items()
    }
    return asdict(replace(request, envs=envs))


def container_shape(row: ContainerRow, state: str | None, endpoint: str | None) -> JsonObject:
    if row.status == "building":
        status = "building"
    elif state is None:
        status = "missing"
    elif state in ("exited", "stopped"):
        status = "stopped" if row.status == "stopped" else "exited"
    elif state == "running":
        status = "running" if endpoint else "starting"
    else:
        status = _STATUS.get(state, state)
    return {"id": row.id, "container_id": row.docker_id, "status": status, "endpoint": endpoint} | row.request
