"""A first tour of the SDK, against a running agent.

The agent's address and token come from the environment:

    export SYNAPSE_AGENT_URL=http://127.0.0.1:8000/ SYNAPSE_AGENT_TOKEN=...
    python examples/quickstart.py

`make demo` starts an agent with a Ray cluster of its own, and runs this against it.
"""

from __future__ import annotations

import asyncio
import time

from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import NotFoundError, StreamLimitExceededError
from synapse_sdk.utils.network import StreamLimits

# A plugin is Python source and a config that names its actions. This one counts letters, each word in a
# Ray task of its own, and takes its time over it, so that there is a log to watch.
PLUGIN = """
import time

import ray


@ray.remote
def count(word):
    return word, len(word)


def main(params):
    ray.init(logging_level="warning", log_to_driver=False)
    print("counting the letters of", len(params["words"]), "words")
    for future in [count.remote(word) for word in params["words"]]:
        word, letters = ray.get(future)
        print(f"  {word}: {letters}")
        time.sleep(0.5)
    print("done")
"""
CONFIG = {
    "code": "quickstart",
    "version": "1.0.0",
    "actions": {"count": {"entrypoint": "counter:main", "method": "job"}},
}


def main() -> None:
    with AgentClient.from_env() as client:
        title("Is the agent well?")
        print(f"  {client.health_check()}")

        title("Run a plugin's action as a Ray job")
        run = client.run_debug_plugin_release(
            "count",
            {"words": ["to", "be", "or", "not", "whatever"]},
            config=CONFIG,
            modules={"counter": PLUGIN},
        )
        job_id = run["job_id"]
        print(f"  job {job_id} is {run['status']}")

        title("Watch its log over a WebSocket, as it is written")
        started = time.monotonic()
        with client.tail_job_logs(job_id, protocol="websocket") as stream:
            for line in stream:
                print(f"  {time.monotonic() - started:5.2f} s | {line}")
        print(f"  {stream.lines} lines over {stream.protocol}; the job has {stream.job_status}")

        title("The same log again, over HTTP")
        with client.tail_job_logs(job_id, protocol="http") as stream:
            for line in stream:
                print(f"  {line}")
        print(f"  {stream.lines} lines, {stream.bytes} bytes over {stream.protocol}")

        title("Jobs, nodes, tasks")
        for job in client.list_jobs():
            print(f"  job   {job.submission_id}: {job.status}, {job.entrypoint}")
        for node in client.list_nodes():
            # Every model can also be read like the dict the agent sent.
            cpus = node["resources_total"].get("CPU", 0)
            print(f"  node  {node['node_name']}: {node['state']}, {cpus:g} CPUs")
        for task in client.list_tasks():
            print(f"  task  {task.name}: {task.state}")

        title("A job that is not there: 404")
        try:
            client.get_job("no-such-job")
        except NotFoundError as error:
            print(f"  {type(error).__name__}, status {error.status_code}: {error}")

        title("A log longer than one is ready to read: 429")
        client.stream_limits = StreamLimits(max_lines=2, max_messages=2)
        try:
            for line in client.tail_job_logs(job_id, protocol="http"):
                print(f"  {line}")
        except StreamLimitExceededError as error:
            print(f"  {type(error).__name__}, status {error.status_code}: {error}")

    title("The same with async: two questions at once, then the end of the log")
    asyncio.run(main_async(job_id))


async def main_async(job_id: str) -> None:
    async with AsyncAgentClient.from_env() as client:
        job, resources = await asyncio.gather(client.get_job(job_id), client.get_cluster_resources())
        print(f"  {job.submission_id}: {job.status}; CPUs in use: {resources['cpu']['used']:g}")
        async with client.tail_job_logs(job_id) as stream:
            lines = [line async for line in stream]
        print(f"  last line: {lines[-1]!r}")


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
