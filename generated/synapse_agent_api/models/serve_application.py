from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_dict, as_model, decode_when_read
from .serve_application_status import ServeApplicationStatus
from .serve_deployment import ServeDeployment

__all__ = ["ServeApplication"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ServeApplication(Model):
    """A Ray Serve application.

    Attributes:
        name: Its name, `code@version` for a plugin's.
        route_prefix: The path it is served under, if it has one.
        status: Its status.
        message: The status in words; empty when all is well.
        last_deployed_time_s: When it was last deployed, in seconds since the epoch, with a fraction.
        deployments: Its deployments by name.
        docs_path: The path of its API pages, if it has some.
        deployed_app_config: The configuration it was deployed with.
    """

    name: str
    route_prefix: str | None = None
    status: ServeApplicationStatus
    message: str
    last_deployed_time_s: float
    deployments: dict[str, ServeDeployment]
    docs_path: str | None = None
    deployed_app_config: dict[str, Any] | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "route_prefix": "route_prefix",
        "status": "status",
        "message": "message",
        "last_deployed_time_s": "last_deployed_time_s",
        "deployments": "deployments",
        "docs_path": "docs_path",
        "deployed_app_config": "deployed_app_config",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "status": ServeApplicationStatus,
        "deployments": lambda value: as_dict(value, lambda item: as_model(item, ServeDeployment)),
    }
