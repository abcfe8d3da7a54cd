"""Run an action of a plugin release."""

from __future__ import annotations

import json
import secrets

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.validation import Fields, read_object
from ..plugins.config import read_actions
from ..plugins.releases import Releases
from .serve import call_serve_action, prepare_serve
from .submit import Run, submit_run

__all__ = ["run_plugin_release"]


async def run_plugin_release(request: web.Request) -> web.Response:
    """Submit a job action as a job; call a serve action on the deployed application."""
    releases = Releases(context_of(request).database)
    release = await releases.get(request.match_info["lookup"])
    fields = Fields(await read_object(request))
    fields.required("action")
    name = fields.text("action")
    params = fields.object("params")
    requirements = fields.texts("requirements")
    job_id = fields.identifier("job_id")
    language = fields.text("language", "en")
    fields.check()
    actions = read_actions(release.config)
    action = actions.get(name)
    if action is None:
        names = ", ".join(sorted(actions)) or "none"
        raise ApiError(404, f"{release.lookup} has no action {name}; its actions: {names}")
    if not action.is_job:
        if requirements:
            fields.add("requirements", "can't be installed for an application that runs", "not_a_job")
            fields.check()
        return await call_serve_action(request, release.lookup, name, params, language)
    if not all(action.is_job for action in actions.values()):
        await prepare_serve(context_of(request))
    run = Run(
        action=name,
        entrypoint=action.entrypoint,
        params=json.dumps(params),
        plugin=await releases.files(release),
        modules={},
        requirements=requirements,
        job_id=job_id or f"run-{secrets.token_hex(8)}",
        language=language,
        code=release.lookup,
        checksum=release.checksum,
    )
    return await submit_run(request, run)
