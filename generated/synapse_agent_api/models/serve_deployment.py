from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, as_models, bind_setattr, decode_object, members, new
from .serve_deployment_status import ServeDeploymentStatus
from .serve_replica import ServeReplica

__all__ = ["ServeDeployment"]

_serve_deployment_status = members(ServeDeploymentStatus)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ServeDeployment(Model):
    """One deployment of an application.

    Attributes:
        name: Its name.
        status: Where it stands.
        message: The status in words; empty when all is well.
        replicas: Its replicas.
    """

    name: str
    status: ServeDeploymentStatus
    message: str
    replicas: list[ServeReplica]

    _names: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "status": "status",
        "message": "message",
        "replicas": "replicas",
    }

    @classmethod
    def from_dict(cls, data: object, /) -> ServeDeployment:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ServeDeployment")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("name", get("name"))
        value = get("status")
        put(
            "status",
            (_serve_deployment_status(value) or ServeDeploymentStatus(value))
            if type(value) is str
            else value,
        )
        put("message", get("message"))
        value = get("replicas")
        put("replicas", as_models(value, ServeReplica))
        return self
