"""Containers, and the builds that make them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from synapse_agent_api.models import Build, BuildAccepted, Container, ContainerPage

from .._operations import Call, answers
from .._reply import ApiError, Reply
from .._shape import shape
from .._state import BuildRecord, State, found
from .pages import page_of

__all__ = [
    "create_container",
    "create_docker_container",
    "delete_container",
    "delete_docker_container",
    "get_build_status",
    "get_container",
    "get_docker_container",
    "list_containers",
    "list_docker_containers",
    "start_docker_container",
    "stop_docker_container",
    "update_container",
]

_STATUSES = ("running", "stopped")
# Characters of a short id in Docker.
_SHORT = 12


@answers("list_containers")
def list_containers(state: State, call: Call) -> object:
    return page_of(ContainerPage, call, list(state.containers.values()))


@answers("create_container")
def create_container(state: State, call: Call) -> object:
    if "plugin_release" not in call.body and "file" not in call.body:
        message = "is required, unless the plugin's archive is sent as file"
        entry = {"loc": ["body", "plugin_release"], "msg": message, "type": "missing", "input": None}
        raise ApiError.fields([entry])
    return _build(state, call.body)


@answers("create_docker_container")
def create_docker_container(state: State, call: Call) -> object:
    return _build(state, call.body)


def _build(state: State, body: Mapping[str, Any]) -> object:
    lookup = body.get("plugin_release")
    lookups = {f"{release['plugin']}@{release['version']}" for release in state.releases.values()}
    if lookup is not None and lookup not in lookups:
        raise ApiError(404, f"there is no plugin release {lookup}")
    fields = {
        "id": 0,
        "status": "building",
        "kind": body.get("kind", "plugin_runtime"),
        "plugin_release": lookup,
        "model": body.get("model"),
        "params": body.get("params", {}),
        "envs": body.get("envs", {}),
        "metadata": body.get("metadata", {}),
        "labels": body.get("labels", {}),
        "backend_container_id": body.get("backend_container_id"),
    }
    build = BuildRecord(f"build-{secrets.token_hex(6)}", shape(Container, fields))
    state.builds[build.id] = build
    if not state.hold_builds:
        state.complete(build)
    accepted = {"build_id": build.id, "status_url": f"/builds/{build.id}/", "ws_url": None, "sse_url": None}
    return shape(BuildAccepted, accepted)


@answers("get_build_status")
def get_build_status(state: State, call: Call) -> object:
    build: BuildRecord = found(state.builds, call.path["build_id"], "build")
    result = build.container if build.status == "completed" else None
    return shape(Build, {"status": build.status, "result": result, "error": build.error})


@answers("get_container")
def get_container(state: State, call: Call) -> object:
    return _container(state, call)


@answers("update_container")
def update_container(state: State, call: Call) -> object:
    container = _container(state, call)
    status = call.body["status"]
    if status not in _STATUSES:
        message = f"must be one of {', '.join(_STATUSES)}"
        raise ApiError.fields([{"loc": ["body", "status"], "msg": message, "type": "enum", "input": status}])
    return _set(container, status)


@answers("delete_container")
def delete_container(state: State, call: Call) -> object:
    del state.containers[_container(state, call)["id"]]
    return None


@answers("list_docker_containers")
def list_docker_containers(state: State, _: Call) -> object:
    return list(state.containers.values())


@answers("get_docker_container")
def get_docker_container(state: State, call: Call) -> object:
    return _docker_container(state, call)


@answers("delete_docker_container")
def delete_docker_container(state: State, call: Call) -> object:
    del state.containers[_docker_container(state, call)["id"]]
    return None


@answers("start_docker_container")
def start_docker_container(state: State, call: Call) -> object:
    return _set(_docker_container(state, call), "running")


@answers("stop_docker_container")
def stop_docker_container(state: State, call: Call) -> object:
    return _set(_docker_container(state, call), "stopped")


def _container(state: State, call: Call) -> dict[str, Any]:
    text = call.path["container_id"]
    number = int(text) if text.isascii() and text.isdecimal() else text
    container: dict[str, Any] = found(state.containers, number, "container")
    return container


def _docker_container(state: State, call: Call) -> dict[str, Any]:
    docker_id = call.path["container_id"]
    for container in state.containers.values():
        whole = container.get("container_id") or ""
        if docker_id == whole or (len(docker_id) >= _SHORT and whole.startswith(docker_id)):
            return container
    raise ApiError(404, f"there is no container {docker_id} in Docker")


def _set(container: dict[str, Any], status: str) -> object:
    if container["status"] == status:
        raise ApiError(409, f"container {container['id']} is {status} already")
    container["status"] = status
    return Reply.json(200, container)
