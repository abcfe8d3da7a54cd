from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, members, new
from .container_kind import ContainerKind

__all__ = ["Container"]

_container_kind = members(ContainerKind)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class Container(Model):
    """A container that the agent manages.

    Attributes:
        id: Its id with the agent.
        container_id: Its id in Docker, once it has one.
        plugin_release: The release it was made from, as `code@version`.
        status: Where it stands.
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

    @classmethod
    def from_dict(cls, data: object, /) -> Container:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "Container")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("id", get("id"))
        put("container_id", get("container_id"))
        put("plugin_release", get("plugin_release"))
        put("status", get("status"))
        put("endpoint", get("endpoint"))
        value = get("kind")
        put("kind", (_container_kind(value) or ContainerKind(value)) if type(value) is str else value)
        put("model", get("model"))
        put("params", get("params"))
        put("envs", get("envs"))
        put("metadata", get("metadata"))
        put("labels", get("labels"))
        put("backend_container_id", get("backend_container_id"))
        return self
