from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read
from .container_kind import ContainerKind

__all__ = ["Container"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Container(Model):
    """A container that the agent manages.

    Attributes:
        id: Its id with the agent.
        container_id: Its id in Docker, once it has one.
        plugin_release: The release it was made from, as `code@version`.
        status: Its status.
        endpoint: The URL it is served at, if it is.
        kind: What it is for.
        model: The id of the model it serves, if any.
        params: The parameters it was made with.
        envs: The environment variables it was made with.
        metadata: What was attached to it.
        labels: Its labels in Docker.
        backend_container_id: Its id with the Synapse backend, if it has one.
    """

    id: int | str
    container_id: str | None = None
    plugin_release: str | None = None
    status: str
    endpoint: str | None = None
    kind: ContainerKind
    model: int | None = None
    params: dict[str, Any] | None = None
    envs: dict[str, str] | None = None
    metadata: dict[str, Any] | None = None
    labels: dict[str, str] | None = None
    backend_container_id: int | str | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "id": "id",
        "container_id": "container_id",
        "plugin_release": "plugin_release",
        "status": "status",
        "endpoint": "endpoint",
        "kind": "kind",
        "model": "model",
        "params": "params",
        "envs": "envs",
        "metadata": "metadata",
        "labels": "labels",
        "backend_container_id": "backend_container_id",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"kind": ContainerKind}
