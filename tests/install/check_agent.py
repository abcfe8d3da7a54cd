"""The extra `agent`: no Ray here, and none that is needed in front of a cluster that runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from commands import expect, program, run

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import NotFoundError

SERVING = """
from ray import serve

@serve.deployment(ray_actor_options={"num_cpus": 0})
class Hello:
    def __call__(self):
        return "hello"

def main(params):
    serve.start(proxy_location="Disabled")
    serve.run(Hello.bind(), name="hello", route_prefix="/hello")
    print("deployed")
"""


@contextmanager
def serving(ray: str) -> Iterator[AgentClient]:
    """An agent in front of the cluster with this dashboard."""
    command = ("synapse-agent", "serve", "--port", "0", "--ray", ray, "--ready-file", "ready.json")
    ready = Path("ready.json")
    with Path("agent.log").open("w+") as log:
        process = subprocess.Popen([program(command[0]), *command[1:]], stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            expect(ready.exists(), command, Path("agent.log").read_text())
            told = json.loads(ready.read_text())
            with AgentClient(told["url"], told["token"], timeout={"connect": 3, "read": 60}) as client:
                yield client
            process.send_signal(signal.SIGTERM)
            expect(process.wait(60) == 0, command, Path("agent.log").read_text())
            expect("Traceback" not in Path("agent.log").read_text(), command, Path("agent.log").read_text())
        finally:
            process.kill()
            process.wait()


def use(client: AgentClient) -> None:
    """Run jobs and a Serve application on a real cluster, and delete it, which takes a driver there."""
    expect(client.health_check().ray_available is True, "health_check", client.health_check())
    expect(len(client.list_nodes()) == 1, "list_nodes", client.list_nodes())
    config = {"code": "p", "version": "1.0.0", "actions": {"go": {"entrypoint": "m:main", "method": "job"}}}
    run_ = client.run_debug_plugin_release("go", {}, config=config, modules={"m": SERVING})
    assert run_.job_id is not None
    lines = list(client.tail_job_logs(run_.job_id))
    expect(lines[-1:] == ["deployed"], "tail_job_logs", lines)
    expect(client.wait_for_job(run_.job_id).status == "SUCCEEDED", "wait_for_job", lines)
    client.delete_serve_application("hello")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            client.get_serve_application("hello")
        except NotFoundError:
            return
        time.sleep(0.2)
    raise SystemExit("delete_serve_application: it is still there")


expect(find_spec("ray") is None, "pip install", "the extra agent brings Ray")
run("synapse-agent", "--version")
told = run("synapse-agent", "serve", "--port", "0", code=1).stderr
expect('pip install "synapse-sdk[agent-ray]"' in told and "--ray URL" in told, "synapse-agent serve", told)
if dashboard := os.environ.get("RAY_DASHBOARD"):
    with serving(dashboard) as client:
        use(client)
else:
    with serving("http://127.0.0.1:1") as client:
        expect(client.health_check().ray_available is False, "health_check", client.health_check())
