from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_models, decode_when_read
from .serve_deployment_status import ServeDeploymentStatus
from .serve_replica import ServeReplica

__all__ = ["ServeDeployment"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ServeDeployment(Model):
    """One deployment of an application.

    Attributes:
        name: Its name.
        status: Its status.
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
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "status": ServeDeploymentStatus,
        "replicas": lambda value: as_models(value, ServeReplica),
    }
