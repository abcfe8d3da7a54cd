"""Run an action of a plugin release."""

from __future__ import annotations

import secrets

from aiohttp import web

from ..context import context_of
from ..errors import ApiError, FieldError, InvalidBodyError
from ..http.validation import Fields, read_object
from ..plugins.config import read_actions
from ..plugins.modules import hidden_module
from ..plugins.releases import Releases
from .fields import read_run_fields
from .serve import call_serve_action, prepare_serve
from .submit import Run, submit_run

__all__ = ["run_plugin_release"]


async def run_plugin_release(request: web.Request) -> web.Response:
    """Submit a job action as a job; call a serve action on the deployed application."""
    releases = Releases(context_of(request).database)
    release = await releases.get(request.match_info["lookup"])
    fields = Fields(await read_object(request))
    wanted = read_run_fields(fields)
    name = wanted.action
    fields.check()
    actions = read_actions(release.config)
    action = actions.get(name)
    if action is None:
        names = ", ".join(sorted(actions)) or "none"
        raise ApiError(404, f"{release.lookup} has no action {name}; its actions: {names}")
    if not action.is_job:
        if wanted.requirements:
            fields.add("requirements", "can't be installed for an application that runs", "not_a_job")
            fields.check()
        return await call_serve_action(request, release.lookup, name, wanted.params, wanted.language)
    files = await releases.files(release)
    hiding = next(filter(hidden_module, files), None)
    if hiding is not None:  # a release that an earlier version of this agent created
        why = f"has {hiding}, which hides a module of Python or Ray: rename it and create the release again"
        raise InvalidBodyError([FieldError(("path", "lookup"), why, "bad_release", release.lookup)])
    if not all(action.is_job for action in actions.values()):
        await prepare_serve(context_of(request))
    run = Run(
        action=name,
        entrypoint=action.entrypoint,
        params=wanted.params,
        plugin=files,
        modules={},
        requirements=wanted.requirements,
        job_id=wanted.job_id or f"run-{secrets.token_hex(8)}",
        language=wanted.language,
        code=release.lookup,
        checksum=release.checksum,
    )
    return await submit_run(request, run)
