"""Operations on plugin releases: create, list, get, delete."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.paging import page_response, read_page
from ..http.validation import Fields, read_object
from .config import CODE, CODE_RULE, VERSION, VERSION_RULE
from .files import BadPluginError
from .releases import Releases
from .source import fetch_release

__all__ = [
    "create_plugin_release",
    "delete_plugin_release",
    "get_plugin_release",
    "list_plugin_releases",
]


async def list_plugin_releases(request: web.Request) -> web.Response:
    page = read_page(request)
    count, releases = await _releases(request).page(page.offset, page.size)
    return page_response(request, page, count, [release.shape() for release in releases])


async def get_plugin_release(request: web.Request) -> web.Response:
    release = await _releases(request).get(request.match_info["lookup"])
    return web.json_response(release.shape())


async def delete_plugin_release(request: web.Request) -> web.Response:
    """Delete a release; jobs and applications made from it keep their own copy."""
    await _releases(request).delete(request.match_info["lookup"])
    return web.Response(status=204)


async def create_plugin_release(request: web.Request) -> web.Response:
    """Fetch a release from the source, as `synapse_agent.plugins.source` describes."""
    context = context_of(request)
    source = context.plugins
    if source is None:
        raise ApiError.typed(
            501, "this agent has no source of plugins: start it with --plugins DIR", "not_supported"
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
        except BadPluginError as error:
            fields.add("plugin", f"can't be taken from the source: {error}", "bad_release")
            fields.check()
            raise
        if fetched is None:
            raise ApiError(404, f"there is no {plugin}@{version} in this agent's source of plugins")
        release = await releases.add(fetched)
    return web.json_response(release.shape(), status=201)


def _releases(request: web.Request) -> Releases:
    return Releases(context_of(request).database)


def _word(fields: Fields, name: str, pattern: re.Pattern[str], rule: str) -> str:
    fields.required(name)
    word = fields.text(name)
    if word and not pattern.match(word):
        fields.add(name, f"must be {rule}", "string_pattern_mismatch")
    return word
