"""The agent itself: its health and its deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_agent_api.models import SystemOperationResult, SystemStatus

from .._operations import Call, answers
from .._reply import ApiError
from .._shape import shape
from .._state import State, now

__all__ = ["get_compose_config", "get_system_status", "health_check", "restart_system", "update_system"]


@answers("health_check")
def health_check(state: State, _: Call) -> object:
    return state.health


@answers("get_compose_config")
def get_compose_config(state: State, _: Call) -> object:
    return state.compose


@answers("get_system_status")
def get_system_status(state: State, _: Call) -> object:
    return state.system_status


@answers("update_system")
def update_system(state: State, call: Call) -> object:
    tags: dict[str, Any] = {name: call.body[name] for name in ("api_tag", "worker_tag") if name in call.body}
    return _begin(state, "update", tags)


@answers("restart_system")
def restart_system(state: State, _: Call) -> object:
    return _begin(state, "restart", {})


def _begin(state: State, operation: str, tags: Mapping[str, Any]) -> object:
    """Finish an operation at once, unless the test holds it."""
    if state.system_status["in_progress"]:
        raise ApiError(409, f"{state.system_status['operation']} is under way")
    if not state.hold_system:
        return shape(SystemOperationResult, {"status": "success", "message": f"the {operation} is done"})
    state.system_status = shape(
        SystemStatus, {"in_progress": True, "operation": operation, "started_at": now(), **tags}
    )
    return shape(SystemOperationResult, {"status": "in_progress", "message": f"the {operation} has begun"})
