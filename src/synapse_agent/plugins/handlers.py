"""Creating, listing, getting, deleting and running plugin releases."""

from __future__ import annotations

import asyncio
import json
import re
import secrets

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.paging import page_response, read_page
from ..http.validation import Fields, read_object
from ..runs.serve import call_serve_action, prepare_serve
from ..runs.submit import Run, submit_run
from .config import CODE, CODE_RULE, VERSION, VERSION_RULE, read_actions
from .release_files import BadReleaseError
from .releases import Releases
from .source import fetch_release

__all__ = [
    "create_plugin_release",
    "delete_plugin_release",
    "get_plugin_release",
    "list_plugin_releases",
    "run_plugin_release",
]


async def list_plugin_releases(request: web.Request) -> web.Response:
    page = read_page(request)
    count, releases = await _releases(request).page(page.offset, page.size)
    return page_response(request, page, count, [release.shape() for release in releases])


async def get_plugin_release(request: web.Request) -> web.Response:
    release = await _releases(request).get(request.match_info["lookup"])
    return web.json_response(release.shape())


async def delete_plugin_release(request: web.Request) -> web.Response:
    """The release goes; jobs and applications that were made from it have their own copy."""
    await _releases(request).delete(request.match_info["lookup"])
    return web.Response(status=204)


async def create_plugin_release(request: web.Request) -> web.Response:
    """Fetch the release from the source; `synapse_agent.plugins.source` tells where it looks there."""
    context = context_of(request)
    source = context.plugins
    if source is None:
        raise ApiError.typed(
            501, "this agent has no source of plugins: give it a directory with --plugins", "not_supported"
        )
    fields = Fields(await read_object(request))
    plugin = _word(fields, "plugin", CODE, CODE_RULE)
    version = _word(fields, "version", VERSION, VERSION_RULE)
    fields.check()
    releases = _releases(request)
    async with context.fetching:
        await releases.check_new(plugin, version)
        try:
            fetched = await asyncio.to_thread(fetch_release, source, plugin, version)
        except BadReleaseError as error:
            fields.add("plugin", f"can't be taken from the source: {error}", "bad_release")
            fields.check()
            raise
        if fetched is None:
            raise ApiError(404, f"there is no {plugin}@{version} in this agent's source of plugins")
        release = await releases.add(fetched)
    return web.json_response(release.shape(), status=201)


async def run_plugin_release(request: web.Request) -> web.Response:
    """Submit the action as a job or, if it is a serve action, call the deployed application."""
    releases = _releases(request)
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


def _releases(request: web.Request) -> Releases:
    return Releases(context_of(request).database)


def _word(fields: Fields, name: str, pattern: re.Pattern[str], rule: str) -> str:
    fields.required(name)
    word = fields.text(name)
    if word and not pattern.match(word):
        fields.add(name, f"must be {rule}", "string_pattern_mismatch")
    return word
