"""Running an action straight from its sources, without a release."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiohttp import web

from synapse_agent._errors import ApiError
from synapse_agent._gateway import Gateway, gateway_of
from synapse_agent._packages import PARAMS_FILE, RUNNER, build_package, module_file
from synapse_agent._ray import TERMINAL
from synapse_agent._validation import Fields, read_object

__all__ = ["run_debug_plugin_release"]

# From so many characters on, the parameters go into a file: the environment has limits.
_PARAMS_IN_FILE = 32_000

_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_ENTRYPOINT = re.compile(rf"{_NAME}(?::{_NAME})?\Z")


@dataclass(frozen=True, slots=True)
class _Run:
    action: str
    entrypoint: str
    params: str
    directory: Path | None
    modules: Mapping[str, str]
    requirements: list[str]
    job_id: str
    language: str
    code: str


async def run_debug_plugin_release(request: web.Request) -> web.Response:
    """Submit the action as a job. `synapse_agent._runner` tells how it is called.

    With a configuration (`config`, or the config.yaml at `plugin_path`) the action is looked up
    there. Without one it names what to run itself: `module:attribute`, `module.attribute`, or a
    module with a `main` or `run`.
    """
    gateway = gateway_of(request)
    run = await _read(request)
    params = run.params if len(run.params) >= _PARAMS_IN_FILE else None
    package = await asyncio.to_thread(build_package, run.directory, run.modules, params)
    async with gateway.admission:
        await _admit(gateway)
        uri = await gateway.ray.upload_package(package.name, package.content)
        runtime_env: dict[str, object] = {
            "working_dir": uri,
            "env_vars": _environment(request, gateway, run, package.checksum),
        }
        if run.requirements:
            runtime_env["pip"] = run.requirements
        await gateway.ray.submit(
            {
                "submission_id": run.job_id,
                "entrypoint": f"python -u {RUNNER}",
                "runtime_env": runtime_env,
                "metadata": {"action": run.action, "entrypoint": run.entrypoint},
            }
        )
    return web.json_response({"job_id": run.job_id, "status": "PENDING"}, status=202)


async def _admit(gateway: Gateway) -> None:
    """429 while as many jobs are under way as the policy allows."""
    policy = gateway.policy
    if not policy.gatekeeping_enabled:
        return
    active = [job for job in await gateway.jobs() if job["status"] not in TERMINAL]
    submitted = sum(job["type"] == "SUBMISSION" for job in active)
    for count, limit, name in (
        (submitted, policy.max_concurrent_jobs, "max_concurrent_jobs"),
        (len(active), policy.max_concurrent_ray_jobs, "max_concurrent_ray_jobs"),
    ):
        if 0 < limit <= count:
            detail = f"{count} jobs are under way, and the policy's {name} is {limit}"
            raise ApiError(429, detail, headers={"Retry-After": "5"})


async def _read(request: web.Request) -> _Run:
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
        fields.add("plugin_path", "is no directory on the agent's machine", "path_not_directory")
        directory = None
    config = fields.object("config")
    if directory is not None and not fields.given("config"):
        config = await asyncio.to_thread(_config, directory)
    fields.check()
    entrypoint = _entrypoint(fields, action, config)
    fields.check()
    return _Run(
        action=action,
        entrypoint=entrypoint,
        params=json.dumps(params),
        directory=directory,
        modules=modules,
        requirements=requirements,
        job_id=job_id or f"debug-{secrets.token_hex(8)}",
        language=language,
        code="@".join(str(config[key]) for key in ("code", "version") if config.get(key)),
    )


def _modules(fields: Fields) -> dict[str, str]:
    modules: dict[str, str] = {}
    for name, source in fields.object("modules").items():
        path = module_file(name)
        if path is None:
            fields.add("modules", "is no module's name", "module_name", name)
        elif not isinstance(source, str):
            fields.add("modules", "must be the module's source text", "string_type", name)
        else:
            modules[path] = source
    return modules


def _config(directory: Path) -> dict[str, object]:
    """The plugin's config.yaml, or nothing where there is none."""
    path = directory / "config.yaml"
    if not path.is_file():
        return {}
    import yaml  # comes with ray[default]

    try:
        value: object = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise ApiError(400, f"{path} is no YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(value, dict):
        raise ApiError(400, f"{path} is no mapping")
    return cast("dict[str, object]", value)


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
            fields.add("action", f"is none of the plugin's actions ({names})", "unknown_action")
            return ""
        described = cast("dict[str, object]", details)
        method = described.get("method", "job")
        if method not in ("job", "task"):
            raise ApiError.typed(
                501, f"this agent runs jobs; it can't run the {method} action {action}", "not_supported"
            )
        entrypoint = described.get("entrypoint")
    if not isinstance(entrypoint, str) or not _ENTRYPOINT.match(entrypoint):
        fields.add("action", "has no entrypoint of the form module:attribute", "entrypoint")
        return ""
    return entrypoint


def _environment(request: web.Request, gateway: Gateway, run: _Run, checksum: str) -> dict[str, str]:
    environment = {
        "PYTHONUNBUFFERED": "1",
        "SYNAPSE_ACTION_ENTRYPOINT": run.entrypoint,
        "SYNAPSE_JOB_ID": run.job_id,
        "SYNAPSE_LANGUAGE": run.language,
        "SYNAPSE_AGENT_URL": gateway.url,
        "SYNAPSE_AGENT_TOKEN": gateway.token,
        "SYNAPSE_PLUGIN_RELEASE_CODE": run.code,
        "SYNAPSE_PLUGIN_RELEASE_CHECKSUM": checksum,
    }
    if len(run.params) >= _PARAMS_IN_FILE:
        environment["SYNAPSE_ACTION_PARAMS_FILE"] = PARAMS_FILE
    else:
        environment["SYNAPSE_ACTION_PARAMS"] = run.params
    for name, header in (
        ("SYNAPSE_PLUGIN_RUN_USER_TOKEN", "SYNAPSE-User"),
        ("SYNAPSE_PLUGIN_RUN_TENANT", "SYNAPSE-Tenant"),
    ):
        value = request.headers.get(header)
        if value:
            environment[name] = value.removeprefix("Token ")
    return environment
