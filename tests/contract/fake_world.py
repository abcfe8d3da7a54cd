"""The fake agent as the tests of the contract take it: on a real socket, with something in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from running_agent import RunningAgent, client_of

from synapse_sdk.testing import FakeAgent

from .agent_world import JOB, OVER, RELEASE

__all__ = ["fake_world", "running_fake"]


@contextmanager
def running_fake() -> Iterator[RunningAgent]:
    """A fake agent in the place of a real one."""
    with FakeAgent(listen=True) as fake:
        fake.set_policy(max_concurrent_jobs=0)
        url = fake.url.removesuffix("/")
        with client_of(url, fake.token) as http:
            yield RunningAgent(url, fake.token, os.getpid(), None, Path(), http, fake)


def fake_world(fake: FakeAgent) -> dict[str, Any]:
    """Put in what every operation needs for an answer; return the ids."""
    fake.add_job(JOB, status="SUCCEEDED", logs=["one", "two: é🚀", "", "four"])
    fake.add_job(OVER, status="FAILED")
    fake.on_run("job_main", hold=True)
    fake.add_plugin_release(RELEASE, actions={"deploy": "job", "ask": "serve"})
    # What is fetched anew names no actions.
    fake.on_call("ask", lambda params: {"letters": len(params["text"])})
    fake.add_plugin_release("detector@1.0.0")
    fake.add_serve_application(RELEASE)
    fake.set_gpus(1)
    kept, deleted = (fake.add_container() for _ in range(2))
    kept_in_docker, deleted_in_docker, running, stopped = (
        fake.add_container(status=status).container_id
        for status in ("running", "running", "running", "stopped")
    )
    with fake.client() as client:
        build_id = client.create_container(plugin_release="detector@1.0.0").build_id
    return {
        "job_id": JOB,
        "delete_job.job_id": OVER,
        "node_id": "head",
        "task_id": fake.add_task("double", state="FINISHED").task_id,
        "name": RELEASE,
        "lookup": RELEASE,
        "build_id": build_id,
        "container_id": str(kept.id),
        "delete_container.container_id": str(deleted.id),
        "get_docker_container.container_id": kept_in_docker,
        "delete_docker_container.container_id": deleted_in_docker,
        "stop_docker_container.container_id": running,
        "start_docker_container.container_id": stopped,
    }
