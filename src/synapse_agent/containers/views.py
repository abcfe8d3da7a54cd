"""Containers as clients see them."""

from __future__ import annotations

from dataclasses import asdict, replace

from ..ray.client import JsonObject
from ..redaction import is_secret
from .requests import ContainerRequest
from .store import ContainerRow

__all__ = ["container_shape", "shown_request"]

_STATUS = {"configured": "created", "initialized": "created", "stopping": "running"}  # states of Podman


def shown_request(request: ContainerRequest, hidden: frozenset[str]) -> JsonObject:
    """Return the request as clients see it and the database keeps it: with secrets masked."""
    envs = {
        name: "***" if is_secret(name) or value in hidden else value for name, value in request.envs.items()
    }
    return asdict(replace(request, envs=envs))


def container_shape(row: ContainerRow, state: str | None, endpoint: str | None) -> JsonObject:
    """Return a container; `state` is the engine's, None if it has no such container."""
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
