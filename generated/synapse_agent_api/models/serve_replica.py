from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read
from .serve_replica_state import ServeReplicaState

__all__ = ["ServeReplica"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ServeReplica(Model):
    """One replica of a deployment.

    Attributes:
        replica_id: Its id.
        state: Its status.
        node_id: The node it runs on.
        node_ip: That node's address.
        actor_id: Its actor in Ray.
        pid: Its process id.
        start_time_s: When it started, in seconds since the epoch, with a fraction.
    """

    replica_id: str | None = None
    state: ServeReplicaState | None = None
    node_id: str | None = None
    node_ip: str | None = None
    actor_id: str | None = None
    pid: int | None = None
    start_time_s: float | None = None

    _names: ClassVar[Mapping[str, str]] = {
        "replica_id": "replica_id",
        "state": "state",
        "node_id": "node_id",
        "node_ip": "node_ip",
        "actor_id": "actor_id",
        "pid": "pid",
        "start_time_s": "start_time_s",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"state": ServeReplicaState}
