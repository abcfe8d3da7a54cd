"""Which variables of the agent's environment an embedded Ray, and so every job, gets."""

from __future__ import annotations

import pytest

from synapse_agent.errors import StartupError
from synapse_agent.ray.environment import check_patterns, job_environment

GIVEN = {
    "PATH": "/bin",
    "LC_ALL": "C",
    "https_proxy": "http://proxy:1",
    "CUDA_VISIBLE_DEVICES": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "SSL_CERT_FILE": "/ca.pem",
    "RAY_REDIS_PASSWORD": "s3cret",
    "RAY_ADDRESS": "elsewhere",
    "SYNAPSE_AGENT_TOKEN": "s3cret",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
    "AWS_REGION": "x",
    "DATABASE_URL": "postgres://u:s3cret@host/db",
    "HF_HOME": "/models",
}
ALWAYS = {name: GIVEN[name] for name in list(GIVEN)[:6]}


@pytest.mark.parametrize(
    ("allowed", "more"),
    [
        ((), set[str]()),
        (("HF_HOME", "DATABASE"), {"HF_HOME"}),
        (("AWS_*",), {"AWS_SECRET_ACCESS_KEY", "AWS_REGION"}),
        (("*",), set(GIVEN) - {"RAY_ADDRESS", "SYNAPSE_AGENT_TOKEN"}),
    ],
)
def test_what_jobs_get(allowed: tuple[str, ...], more: set[str]) -> None:
    assert job_environment(GIVEN, allowed) == ALWAYS | {name: GIVEN[name] for name in more}


@pytest.mark.parametrize("pattern", ["", "A=B", "*_TOKEN", "A*B", "A B", "A\n"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(StartupError, match="--job-env"):
        check_patterns([pattern])
    check_patterns(["A", "A_*", "*"])
