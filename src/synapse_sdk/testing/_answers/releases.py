"""Plugin releases, and runs of their actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from synapse_agent_api.models import PluginReleasePage, RunAccepted

from .._operations import Call, answers
from .._release import release_shape
from .._reply import ApiError, Deferred, Reply
from .._shape import shape
from .._state import State
from .pages import page_of

__all__ = [
    "create_plugin_release",
    "delete_plugin_release",
    "get_plugin_release",
    "list_plugin_releases",
    "run_debug_plugin_release",
    "run_plugin_release",
]

_JOBS = ("job", "task")


@answers("list_plugin_releases")
def list_plugin_releases(state: State, call: Call) -> object:
    return page_of(PluginReleasePage, call, list(state.releases.values()))


@answers("get_plugin_release")
def get_plugin_release(state: State, call: Call) -> object:
    return _release(state, call)


@answers("create_plugin_release")
def create_plugin_release(state: State, call: Call) -> object:
    """Create a release; every plugin exists in every version."""
    plugin, version = call.body["plugin"], call.body["version"]
    if any((item["plugin"], item["version"]) == (plugin, version) for item in state.releases.values()):
        raise ApiError(409, f"the agent has {plugin}@{version} already")
    release = release_shape(state.number(), plugin, version, {"code": plugin, "version": version})
    state.releases[release["id"]] = release
    return release


@answers("delete_plugin_release")
def delete_plugin_release(state: State, call: Call) -> object:
    del state.releases[_release(state, call)["id"]]
    return None


@answers("run_plugin_release")
def run_plugin_release(state: State, call: Call) -> object:
    release = _release(state, call)
    lookup = f"{release['plugin']}@{release['version']}"
    return _run(state, call.body, release["config"], lookup)


@answers("run_debug_plugin_release")
def run_debug_plugin_release(state: State, call: Call) -> object:
    config: Mapping[str, Any] = call.body.get("config") or {}
    return _run(state, call.body, config, str(config.get("code") or ""))


def _release(state: State, call: Call) -> dict[str, Any]:
    lookup = call.path["lookup"]
    for release in state.releases.values():
        if lookup in (str(release["id"]), f"{release['plugin']}@{release['version']}"):
            return release
    raise ApiError(404, f"there is no plugin release {lookup}")


def _run(state: State, body: Mapping[str, Any], config: Mapping[str, Any], code: str) -> object:
    action = body["action"]
    actions = config.get("actions")
    method: object = "job"
    # A configuration without actions allows all.
    if isinstance(actions, Mapping):
        known = cast("Mapping[str, object]", actions)
        if action not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ApiError(404, f"{code or 'the plugin'} has no action {action}; its actions: {names}")
        described = known[action]
        if isinstance(described, Mapping):
            method = cast("Mapping[str, object]", described).get("method", "job")
    function = state.calls.get(action)
    if function is not None or method not in _JOBS:
        return Deferred(200, _call(function, dict(body.get("params") or {})))
    job = state.run(action, body, code)
    return Reply.json(202, shape(RunAccepted, {"job_id": job.id, "status": "PENDING"}))


def _call(
    function: Callable[[dict[str, Any]], object] | None, params: dict[str, Any]
) -> Callable[[], object]:
    return lambda: {} if function is None else function(params)
