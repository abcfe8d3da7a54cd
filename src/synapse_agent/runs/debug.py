"""Run an action from its sources, without a release."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from aiohttp import web

from ..errors import ApiError
from ..http.validation import Fields, read_object
from ..plugins.config import CONFIG_FILE, ENTRYPOINT, JOB_METHODS, BadConfigError, parse_config
from ..plugins.packages import module_file, read_plugin
from .submit import Run, submit_run

__all__ = ["run_debug_plugin_release"]


async def run_debug_plugin_release(request: web.Request) -> web.Response:
    """Submit the action as a job.

    With a configuration (`config`, or the config.yaml at `plugin_path`), `action` is the name of one
    of its actions. Without one, it is an entrypoint: `module:attribute`, `module.attribute`, or a
    module with a `main` or `run` function.
    """
    return await submit_run(request, await _read(request))


async def _read(request: web.Request) -> Run:
    fields = Fields(await read_object(request))
    fields.required("action")
    action = fields.text("action")
    params = fields.object("params")
    plugin_path = fields.text("plugin_path")
    requirements = fields.texts("requirements")
    job_id = fields.identifier("job_id")
    language = fields.text("language", "en")
    modules = _modules(fields)
    directory = Path(plugin_path) if plugin_path else None
    if directory is not None and not await asyncio.to_thread(directory.is_dir):
        fields.add("plugin_path", "is not a directory on the agent's machine", "path_not_directory")
        directory = None
    config = fields.object("config")
    if directory is not None and not fields.given("config"):
        config = await asyncio.to_thread(_config, directory)
    fields.check()
    entrypoint = _entrypoint(fields, action, config)
    fields.check()
    return Run(
        action=action,
        entrypoint=entrypoint,
        params=json.dumps(params),
        plugin=await asyncio.to_thread(read_plugin, directory) if directory else {},
        modules=modules,
        requirements=requirements,
        job_id=job_id or f"debug-{secrets.token_hex(8)}",
        language=language,
        code="@".join(str(config[key]) for key in ("code", "version") if config.get(key)),
        checksum=None,
    )


def _modules(fields: Fields) -> dict[str, str]:
    modules: dict[str, str] = {}
    for name, source in fields.object("modules").items():
        path = module_file(name)
        if path is None:
            fields.add("modules", "is not a module name", "module_name", name)
        elif not isinstance(source, str):
            fields.add("modules", "must be the module's source text", "string_type", name)
        else:
            modules[path] = source
    return modules


def _config(directory: Path) -> dict[str, object]:
    """Return the plugin's configuration; empty if it has no config.yaml."""
    path = directory / CONFIG_FILE
    if not path.is_file():
        return {}
    try:
        return parse_config(path.read_bytes())
    except BadConfigError as error:
        raise ApiError(400, f"{path}: {error}") from None


def _entrypoint(fields: Fields, action: str, config: Mapping[str, object]) -> str:
    actions = config.get("actions")
    if not config:
        entrypoint: object = action
    elif not isinstance(actions, dict):
        fields.add("config", "must have actions by name", "dict_type")
        return ""
    else:
        known = cast("dict[str, object]", actions)
        details = known.get(action)
        if not isinstance(details, dict):
            names = ", ".join(sorted(map(str, known))) or "none"
            fields.add("action", f"is not one of the plugin's actions: {names}", "unknown_action")
            return ""
        described = cast("dict[str, object]", details)
        method = described.get("method", "job")
        if method not in JOB_METHODS:
            raise ApiError.typed(
                501, f"this agent runs jobs; it can't run the {method} action {action}", "not_supported"
            )
        entrypoint = described.get("entrypoint")
    if not isinstance(entrypoint, str) or not ENTRYPOINT.match(entrypoint):
        fields.add("action", "has no entrypoint of the form module:attribute", "entrypoint")
        return ""
    return entrypoint
