"""Operations on containers and builds."""

from __future__ import annotations

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.paging import page_response, read_page
from ..http.validation import Fields, identity_headers, read_object, resource_id
from .container_config import Caller
from .manager import Containers
from .requests import ContainerRequest, read_container_form, read_container_request
from .sources import PluginSource, find_release, open_upload

__all__ = [
    "CONTAINERS",
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

# None: the agent was started without a container engine.
CONTAINERS: web.AppKey[Containers | None] = web.AppKey("containers")


def _containers(request: web.Request) -> Containers:
    containers = request.app[CONTAINERS]
    if containers is None:
        why = "this agent runs no containers: it was started without --docker"
        raise ApiError.typed(501, why, "not_supported")
    return containers


def _container_id(request: web.Request) -> int:
    text = resource_id(request, "container_id")
    # Ids are integers that fit into SQLite's 64 bits.
    if not (text.isdigit() and len(text) <= 18):
        raise ApiError(404, f"there is no container {text}")
    return int(text)


async def list_containers(request: web.Request) -> web.Response:
    containers = _containers(request)
    page = read_page(request)
    count, results = await containers.page(page.offset, page.size)
    return page_response(request, page, count, results)


async def create_container(request: web.Request) -> web.Response:
    containers = _containers(request)
    if request.content_type != "multipart/form-data":
        return await _create_from_release(request, containers, docker=False)
    async with read_container_form(request, containers.builds.directory) as (wanted, upload):
        source = await open_upload(upload, wanted.plugin_release)
        return await _create(request, containers, wanted, source)


async def create_docker_container(request: web.Request) -> web.Response:
    return await _create_from_release(request, _containers(request), docker=True)


async def _create_from_release(request: web.Request, containers: Containers, *, docker: bool) -> web.Response:
    wanted = await read_container_request(request, docker=docker)
    source = await find_release(context_of(request).database, wanted.plugin_release)
    return await _create(request, containers, wanted, source)


async def _create(
    request: web.Request, containers: Containers, wanted: ContainerRequest, source: PluginSource
) -> web.Response:
    await containers.reconcile()
    given = identity_headers(request)
    user, tenant = (given.get(name, "").removeprefix("Token ") for name in ("SYNAPSE-User", "SYNAPSE-Tenant"))
    build_id = await containers.builds.create(wanted, source, Caller(user, tenant))
    body = {
        "build_id": build_id,
        "status_url": f"/builds/{build_id}/",
        # The engine's output is not passed on, so there is no stream to follow.
        "ws_url": None,
        "sse_url": None,
    }
    return web.json_response(body, status=202)


async def get_container(request: web.Request) -> web.Response:
    containers = _containers(request)
    return web.json_response(await containers.get(_container_id(request)))


async def update_container(request: web.Request) -> web.Response:
    """Start or stop the container, as its new status demands."""
    containers = _containers(request)
    container_id = _container_id(request)
    fields = Fields(await read_object(request))
    fields.required("status")
    status = fields.choice("status", ("running", "stopped"))
    fields.check()
    change = containers.start if status == "running" else containers.stop
    return web.json_response(await change(container_id))


async def delete_container(request: web.Request) -> web.Response:
    await _containers(request).delete(_container_id(request))
    return web.Response(status=204)


async def list_docker_containers(request: web.Request) -> web.Response:
    return web.json_response(await _containers(request).docker_containers())


async def get_docker_container(request: web.Request) -> web.Response:
    containers, container_id = await _resolved(request)
    return web.json_response(await containers.get(container_id))


async def delete_docker_container(request: web.Request) -> web.Response:
    containers, container_id = await _resolved(request)
    await containers.delete(container_id)
    return web.Response(status=204)


async def stop_docker_container(request: web.Request) -> web.Response:
    containers, container_id = await _resolved(request)
    return web.json_response(await containers.stop(container_id))


async def start_docker_container(request: web.Request) -> web.Response:
    containers, container_id = await _resolved(request)
    return web.json_response(await containers.start(container_id))


async def _resolved(request: web.Request) -> tuple[Containers, int]:
    containers = _containers(request)
    return containers, await containers.resolve(resource_id(request, "container_id"))


async def get_build_status(request: web.Request) -> web.Response:
    containers = _containers(request)
    build = await containers.build(resource_id(request, "build_id"))
    return web.json_response({"status": build.status, "result": build.result, "error": build.error})
