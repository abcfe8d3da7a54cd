from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, members, new
from .serve_replica_state import ServeReplicaState

__all__ = ["ServeReplica"]

_serve_replica_state = members(ServeReplicaState)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ServeReplica(Model):
    """One replica of a deployment.

    Attributes:
        replica_id: Its id.
        state: Where it stands.
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

    @classmethod
    def from_dict(cls, data: object, /) -> ServeReplica:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ServeReplica")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("replica_id", get("replica_id"))
        value = get("state")
        put(
            "state",
            (_serve_replica_state(value) or ServeReplicaState(value)) if type(value) is str else value,
        )
        put("node_id", get("node_id"))
        put("node_ip", get("node_ip"))
        put("actor_id", get("actor_id"))
        put("pid", get("pid"))
        put("start_time_s", get("start_time_s"))
        return self
