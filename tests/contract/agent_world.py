"""What a real agent has to have so that each of its operations has something to answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from running_agent import RunningAgent

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import HTTPError

__all__ = ["JOB", "OVER", "PLUGIN", "RELEASE", "clear", "prepare"]

PLUGIN, VERSION = "letters", "1.0.0"
RELEASE = f"{PLUGIN}@{VERSION}"
JOB = "contract-job"
# Another one, to be deleted.
OVER = "contract-job-over"
WITH_A_TASK = """
import ray

def main():
    ray.init(log_to_driver=False, logging_level="ERROR")

    @ray.remote(num_cpus=0.1)
    def double(x):
        return 2 * x

    print(ray.get(double.remote(2)))
"""


def prepare(agent: RunningAgent) -> dict[str, Any]:
    """Make a release, two jobs that are over, a task and an application; return their ids."""
    with AgentClient(agent.url, agent.token, timeout=60) as client:
        once(lambda: client.create_plugin_release(PLUGIN, VERSION))
        once(
            lambda: client.run_debug_plugin_release("job_main", modules={"job_main": WITH_A_TASK}, job_id=JOB)
        )
        if not applications(client):
            client.run_plugin_release(RELEASE, "deploy")
        once(
            lambda: client.run_debug_plugin_release(
                "job_main", modules={"job_main": "def main(): pass\n"}, job_id=OVER
            )
        )
        ray_id = agent.wait(JOB)["job_id"]
        agent.wait(OVER)

        def called() -> bool:
            # Ray's HTTP proxy may come later than the application.
            with suppress(HTTPError):
                client.run_plugin_release(RELEASE, "ask", {"text": "to be"})
                return True
            return False

        def tasks() -> list[str]:
            return [
                task.task_id for task in client.list_tasks() if task.job_id == ray_id and task.end_time_ms
            ]

        names = until(lambda: applications(client), timeout=120)
        until(called)
        return {
            "job_id": JOB,
            "delete_job.job_id": OVER,
            "node_id": client.list_nodes()[0].node_id,
            "task_id": until(tasks)[0],
            "name": names[0],
            "lookup": RELEASE,
        }


def once(make: Callable[[], object]) -> None:
    """Make something unless it is there."""
    try:
        make()
    except HTTPError as error:
        if error.status_code != 409:
            raise


def applications(client: AgentClient) -> list[str]:
    return [app.name for app in client.list_serve_applications() if app.status == "RUNNING"]


def clear(agent: RunningAgent) -> None:
    """Take the application away again, which other tests would meet."""
    agent.http.delete(f"serve_applications/{RELEASE}/")
    until(lambda: agent.http.get("serve_applications/").json() == [])


def until(wanted: Callable[[], Any], timeout: float = 60) -> Any:
    """What `wanted` gives once it gives something."""
    deadline = time.monotonic() + timeout
    while not (found := wanted()):
        assert time.monotonic() < deadline, f"still {found!r} after {timeout} s"
        time.sleep(0.1)
    return found
