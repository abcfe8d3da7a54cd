"""Submit one action of a plugin as a Ray job."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from ..context import AgentContext, context_of
from ..errors import FieldError, InvalidBodyError
from ..http.validation import identity_headers
from ..plugins.packages import PARAMS_FILE, RUNNER, build_package
from ..ray.client import JsonObject
from .admission import admitted
from .state import run_state_of

__all__ = ["Run", "submit_run"]

# Longer parameters go into a file.
_PARAMS_IN_FILE = 16_000

# Characters of a job's description as JSON. Ray starts the job's driver with it in one environment variable,
# for which Linux has a limit of 128 KiB, and adds some variables of its own to it.
_MAX_DESCRIPTION = 120_000

_IDENTITY = {
    "SYNAPSE-User": "SYNAPSE_PLUGIN_RUN_USER_TOKEN",
    "SYNAPSE-Tenant": "SYNAPSE_PLUGIN_RUN_TENANT",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One action to run, with all that it needs."""

    action: str
    entrypoint: str
    params: str  # JSON
    plugin: Mapping[str, bytes]
    modules: Mapping[str, str]
    requirements: list[str]
    job_id: str
    language: str
    code: str
    checksum: str | None  # None: the package's own


async def submit_run(request: web.Request, run: Run) -> web.Response:
    """Submit the action as a job, if the policy allows it. `plugins.runner` describes the call.

    The tokens in `request` are passed on only in the job's environment.
    """
    context, state = context_of(request), run_state_of(request)
    params = run.params if len(run.params) >= _PARAMS_IN_FILE else None
    package = await asyncio.to_thread(build_package, run.plugin, run.modules, params)
    runtime_env: dict[str, object] = {
        "working_dir": f"gcs://{package.name}",
        "env_vars": _environment(request, context, run, run.checksum or package.checksum),
    }
    if run.requirements:
        runtime_env["pip"] = run.requirements
    description: JsonObject = {
        "submission_id": run.job_id,
        "entrypoint": f"python -u {RUNNER}",
        "runtime_env": runtime_env,
        "metadata": {"action": run.action, "entrypoint": run.entrypoint},
    }
    _check_size(description, run.requirements)
    async with admitted(context, state):
        runtime_env["working_dir"] = await context.ray.upload_package(package.name, package.content)
        await context.ray.submit(description)
    return web.json_response({"job_id": run.job_id, "status": "PENDING"}, status=202)


def _check_size(description: JsonObject, requirements: list[str]) -> None:
    """Raise 422 for a job that Ray would accept and never start."""
    size = len(json.dumps(description))
    if size <= _MAX_DESCRIPTION:
        return
    why = (
        f"makes the job's description {size} characters long as JSON; at most {_MAX_DESCRIPTION} are allowed"
    )
    # All other fields have limits of their own.
    loc = ("body", "requirements") if requirements else ("header", "SYNAPSE-User")
    raise InvalidBodyError([FieldError(loc, why, "too_long", None)])


def _environment(request: web.Request, context: AgentContext, run: Run, checksum: str) -> dict[str, str]:
    environment = {
        "PYTHONUNBUFFERED": "1",
        "SYNAPSE_ACTION_ENTRYPOINT": run.entrypoint,
        "SYNAPSE_JOB_ID": run.job_id,
        "SYNAPSE_LANGUAGE": run.language,
        "SYNAPSE_AGENT_URL": context.url,
        "SYNAPSE_AGENT_TOKEN": context.token,
        "SYNAPSE_PLUGIN_RELEASE_CODE": run.code,
        "SYNAPSE_PLUGIN_RELEASE_CHECKSUM": checksum,
    }
    if len(run.params) >= _PARAMS_IN_FILE:
        environment["SYNAPSE_ACTION_PARAMS_FILE"] = PARAMS_FILE
    else:
        environment["SYNAPSE_ACTION_PARAMS"] = run.params
    for header, value in identity_headers(request).items():
        environment[_IDENTITY[header]] = value.removeprefix("Token ")
    return environment
