"""Submit one action of a plugin as a Ray job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from ..context import AgentContext, context_of
from ..errors import ApiError
from ..http.validation import identity_headers
from ..plugins.packages import PARAMS_FILE, RUNNER, build_package
from ..ray.client import TERMINAL
from .state import RunState, run_state_of

__all__ = ["Run", "submit_run"]

# Longer parameters go into a file, since an environment variable is limited to 128 KiB.
_PARAMS_IN_FILE = 32_000

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
    async with state.admission:
        await _admit(context, state)
        uri = await context.ray.upload_package(package.name, package.content)
        runtime_env: dict[str, object] = {
            "working_dir": uri,
            "env_vars": _environment(request, context, run, run.checksum or package.checksum),
        }
        if run.requirements:
            runtime_env["pip"] = run.requirements
        await context.ray.submit(
            {
                "submission_id": run.job_id,
                "entrypoint": f"python -u {RUNNER}",
                "runtime_env": runtime_env,
                "metadata": {"action": run.action, "entrypoint": run.entrypoint},
            }
        )
    return web.json_response({"job_id": run.job_id, "status": "PENDING"}, status=202)


async def _admit(context: AgentContext, state: RunState) -> None:
    """Raise 429 while as many jobs are active as the policy allows."""
    policy = state.policy
    if not policy.gatekeeping_enabled:
        return
    active = [job for job in await context.jobs() if job["status"] not in TERMINAL]
    submitted = sum(job["type"] == "SUBMISSION" for job in active)
    for count, limit, name in (
        (submitted, policy.max_concurrent_jobs, "max_concurrent_jobs"),
        (len(active), policy.max_concurrent_ray_jobs, "max_concurrent_ray_jobs"),
    ):
        if 0 < limit <= count:
            detail = (
                f"{count} jobs are active and the policy's {name} is {limit}; try again when one has ended"
            )
            raise ApiError(429, detail, headers={"Retry-After": "5"})


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
