"""Serve applications."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from aiohttp import web

from ..context import INTERNAL, context_of
from ..errors import ApiError
from ..ray.client import TERMINAL, JsonObject, RayClient
from ..redaction import redact

__all__ = ["delete_serve_application", "get_serve_application", "list_serve_applications"]

_FIELDS = (
    "name",
    "route_prefix",
    "status",
    "message",
    "last_deployed_time_s",
    "deployments",
    "docs_path",
    "deployed_app_config",
)

# The dashboard can only delete all applications; deleting one takes a driver inside the cluster.
_DELETE = (
    "import os, ray; from ray import serve; ray.init(log_to_driver=False);"
    " serve.delete(os.environ['SYNAPSE_APPLICATION'], _blocking=False)"
)


async def list_serve_applications(request: web.Request) -> web.Response:
    applications = await context_of(request).ray.applications()
    return web.json_response([_shape(name, details) for name, details in sorted(applications.items())])


async def get_serve_application(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    return web.json_response(_shape(name, await _find(context_of(request).ray, name)))


async def delete_serve_application(request: web.Request) -> web.Response:
    """Start to delete the application; its status is DELETING for some seconds."""
    ray = context_of(request).ray
    name = request.match_info["name"]
    if (await _find(ray, name)).get("status") == "DELETING":
        return web.Response(status=204)
    job_id = f"synapse-agent-{secrets.token_hex(8)}"
    await ray.submit(
        {
            "submission_id": job_id,
            "entrypoint": f'python -c "{_DELETE}"',
            "runtime_env": {"env_vars": {"SYNAPSE_APPLICATION": name}},
            "metadata": {INTERNAL: "1"},
        }
    )
    status = await _wait(ray, job_id)
    with suppress(ApiError):
        await ray.delete(job_id)
    if status != "SUCCEEDED":
        raise ApiError(500, f"Ray Serve did not delete the application {name}")
    return web.Response(status=204)


async def _find(ray: RayClient, name: str) -> JsonObject:
    details = (await ray.applications()).get(name)
    if details is None:
        raise ApiError(404, f"there is no serve application {name}")
    return details


async def _wait(ray: RayClient, job_id: str) -> str:
    """Return the job's final status, or after a minute the current one."""
    status = "PENDING"
    for _ in range(300):
        await asyncio.sleep(0.2)
        status = (await ray.job(job_id))["status"]
        if status in TERMINAL:
            break
    return status


def _shape(name: str, details: JsonObject) -> JsonObject:
    shaped: JsonObject = {field: details.get(field) for field in _FIELDS} | {"name": name}
    result: JsonObject = redact(shaped)
    return result
