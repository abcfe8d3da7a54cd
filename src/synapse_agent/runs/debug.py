"""Run an action from its sources, without a release."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from aiohttp import web

from ..context import context_of
from ..errors import ApiError
from ..http.validation import Fields, is_text, read_object
from ..plugins.config import CONFIG_FILE, ENTRYPOINT, JOB_METHODS, BadConfigError, parse_config
from ..plugins.files import MAX_FILES, BadPluginError, read_directory
from ..plugins.modules import module_file, module_problems
from ..plugins.packages import RUNNER
from .fields import read_run_fields
from .submit import Run, submit_run

__all__ = ["run_debug_plugin_release"]


async def run_debug_plugin_release(request: web.Request) -> web.Response:
    """Submit the action as a job.

    With a configuration (`config`, or the config.yaml at `plugin_path`), `action` is the name of one
    of its actions. Without one, it is an entrypoint: `module:attribute`, `module.attribute`, or a
    module with a `main` or `run` function.
    """
    fields = Fields(await read_object(request))
    run = read_run_fields(fields)
    modules = _modules(fields)
    config = fields.object("config")
    path = fields.text("plugin_path", most=4096)
    fields.check()
    plugin = await _plugin(fields, path, context_of(request).plugin_paths) if path else {}
    if not fields.given("config") and CONFIG_FILE in plugin:
        try:
            config = parse_config(plugin[CONFIG_FILE])
        except BadConfigError as error:
            fields.add("plugin_path", f"{CONFIG_FILE}: {error}", "bad_plugin")
    for file, problem in module_problems(modules, plugin):
        fields.add("modules", f"{file} {problem}", "module_name")
    code = _code(fields, config)
    entrypoint = _entrypoint(fields, run.action, config)
    fields.check()
    return await submit_run(
        request,
        Run(
            action=run.action,
            entrypoint=entrypoint,
            params=run.params,
            plugin=plugin,
            modules=modules,
            requirements=run.requirements,
            job_id=run.job_id or f"debug-{secrets.token_hex(8)}",
            language=run.language,
            code=code,
            checksum=None,
        ),
    )


def _modules(fields: Fields) -> dict[str, str]:
    """Return the sources of the modules by their paths in the package."""
    names: dict[str, str] = {}
    sources: dict[str, str] = {}
    given = fields.object("modules")
    if len(given) > MAX_FILES:
        fields.add("modules", f"must be at most {MAX_FILES} modules", "too_long")
        return {}
    for name, source in given.items():
        path = module_file(name)
        if path is None or path == RUNNER:
            fields.add("modules", "is not a module name", "module_name", name)
        elif not isinstance(source, str):
            fields.add("modules", "must be the module's source text", "string_type", name)
        elif path in names:
            fields.add("modules", f"is the same module as {names[path]}", "module_name", name)
        else:
            names[path] = name
            sources[path] = source
    return sources


async def _plugin(fields: Fields, path: str, allowed: tuple[Path, ...]) -> dict[str, bytes]:
    """Return the plugin's files, if the agent may read them."""
    if not allowed:
        fields.add(
            "plugin_path", "is not allowed: start the agent with --plugin-path DIR", "path_not_allowed"
        )
        return {}
    try:
        return await asyncio.to_thread(_read_plugin, Path(path), allowed)
    except BadPluginError as error:
        fields.add("plugin_path", f"can't be used: {error}", "bad_plugin")
    return {}


def _read_plugin(path: Path, allowed: tuple[Path, ...]) -> dict[str, bytes]:
    try:
        # Links are resolved first, so that none leads out of the allowed directories.
        directory = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        directory = None
    if directory is None or not any(directory.is_relative_to(root) for root in allowed):
        # One text for both, so that nobody learns which files exist.
        raise BadPluginError("it is not below a directory of the agent's --plugin-path")
    if not directory.is_dir():
        raise BadPluginError("it is not a directory")
    return read_directory(directory)


def _code(fields: Fields, config: Mapping[str, object]) -> str:
    """Return `code@version`, as far as the configuration has them."""
    parts: list[str] = []
    for key in ("code", "version"):
        value = config.get(key)
        if value in (None, ""):
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, str | int | float)
            or not is_text(str(value), 200)
        ):
            fields.add("config", f"{key} must be a text of at most 200 characters", "string_type")
        parts.append(str(value))
    return "@".join(parts)


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
            names = ", ".join(sorted(map(str, known)))[:500] or "none"
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
